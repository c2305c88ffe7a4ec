"""Who may do what: keys of the repository and of the operator's file, and what names of keys and the policy permit.

`Access.may` is the one question that transfers, notifications and updates ask.
"""
