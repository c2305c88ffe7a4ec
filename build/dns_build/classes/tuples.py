"""Write out the classes that `NamedTuple` would make."""

import ast

from dns_build.classes.written import imported, is_text, statements


def expand(tree: ast.Module) -> None:
    """Change the classes of a module in place."""
    named = {name for name, original in imported(tree, "typing").items() if original == "NamedTuple"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.keywords:
            match node.bases:
                case [ast.Name(name)] if name in named:
                    node.bases = [ast.copy_location(ast.Name("_made_Named", ast.Load()), node.bases[0])]
                    node.body = _body(node)


def _body(node: ast.ClassDef) -> list[ast.stmt]:
    """The class's own statements, with what makes it a tuple where the last field was."""
    fields: list[str] = []
    defaults: dict[str, str] = {}
    kept: list[ast.stmt] = []
    place = 0
    for statement in node.body:
        match statement:
            case ast.AnnAssign(ast.Name(name), _, value):
                fields.append(name)
                if value is not None:
                    defaults[name] = ast.unparse(value)
                place = len(kept)
            case _ if not is_text(statement):
                kept.append(statement)
    parameters = "".join(f", {name}={defaults[name]}" if name in defaults else f", {name}" for name in fields)
    text = [
        "__slots__ = ()",
        f"_fields = __match_args__ = {tuple(fields)!r}",
        f"def __new__(_cls{parameters}):",
        f"    return _made_tuple_new(_cls, ({''.join(f'{name}, ' for name in fields)}))",
        *(f"{name} = _made_get({index}, None)" for index, name in enumerate(fields)),
    ]
    kept[place:place] = statements("\n".join(text), node)
    return kept
