"""What dataclasses, named tuples and enumerations that were written out when the image was built have in common.

See `dns_build.classes`. To who uses such classes they are what `dataclass`, `NamedTuple` and `Enum` make, but for this:
the `Field`s of dataclasses tell names and flags, and neither types nor defaults.
"""

import enum
from _collections import _tuplegetter
from reprlib import recursive_repr
from types import GenericAlias

get = _tuplegetter
tuple_new = tuple.__new__
put = object.__setattr__
MAKE = object()
"""Default of a parameter whose value is made anew for each object."""


class Fields:
    """`__dataclass_fields__`, made when somebody asks for it."""

    def __init__(self, names, init_only=(), **without):
        self._names = names
        self._init_only = init_only
        self._without = without
        self._made = None

    def __get__(self, _instance, _owner):
        if self._made is None:
            self._made = {name: self._field(name) for name in self._names}
        return self._made

    def replace(self, instance, changes):
        """A copy of an object of the class, with `changes`."""
        for name in self._names:
            if name in self._without.get("init", ()):
                if name in changes:
                    raise TypeError(f"field {name!r} is declared with init=False: it can't be replaced")
            elif name not in changes and name not in self._init_only:
                changes[name] = getattr(instance, name)
        return instance.__class__(**changes)

    def _field(self, name):
        import dataclasses

        made = dataclasses.field(**{flag: False for flag, names in self._without.items() if name in names})
        made.name = name
        made._field_type = dataclasses._FIELD_INITVAR if name in self._init_only else dataclasses._FIELD
        return made


def replace(instance, /, **changes):
    """`dataclasses.replace`, which does not run that module for classes that were written out."""
    for cls in type(instance).__mro__:
        fields = cls.__dict__.get("__dataclass_fields__")
        if type(fields) is Fields:
            return fields.replace(instance, changes)
    import dataclasses

    return dataclasses.replace(instance, **changes)


@recursive_repr()
def show(self):
    """`__repr__` of a dataclass."""
    import dataclasses

    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _refuse(self, verb, name):
    if "__dataclass_fields__" in type(self).__dict__ or name in self.__dataclass_fields__:
        import dataclasses

        raise dataclasses.FrozenInstanceError(f"cannot {verb} field {name!r}")


def refuse_to_set(self, name, value):
    """`__setattr__` of a frozen dataclass."""
    _refuse(self, "assign to", name)
    object.__setattr__(self, name, value)


def refuse_to_delete(self, name):
    """`__delattr__` of a frozen dataclass."""
    _refuse(self, "delete", name)
    object.__delattr__(self, name)


def get_state(self):
    """`__getstate__` of a frozen dataclass with slots."""
    return [getattr(self, name) for name in self.__slots__]


def set_state(self, state):
    """`__setstate__` of a frozen dataclass with slots."""
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


class Generic:
    """What generic classes derive from."""

    __slots__ = ()
    __class_getitem__ = classmethod(GenericAlias)


class Named(tuple):
    """What named tuples derive from."""

    __slots__ = ()
    _fields = ()

    @classmethod
    def _make(cls, iterable):
        made = tuple_new(cls, iterable)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes):
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise TypeError(f"Got unexpected field names: {list(changes)!r}")
        return made

    __replace__ = _replace

    def _asdict(self):
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self):
        shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{self.__class__.__name__}({shown})"

    def __getnewargs__(self):
        return tuple(self)


def enumeration(name, bases, namespace):
    """An enumeration: what `EnumType` would make of members in `_member_names_`, whose values are plain."""
    (base,) = bases
    common = _COMMON.get(base) or _common(base)
    names = namespace["_member_names_"]
    values = [namespace.pop(one) for one in names]
    by_name = {}
    by_value = {}
    cls = type.__new__(
        enum.EnumType,
        name,
        bases,
        {
            **common,
            **namespace,
            "_member_names_": [],
            "_member_map_": by_name,
            "_value2member_map_": by_value,
            "_hashable_values_": [*dict.fromkeys(values)],
            "_unhashable_values_": [],
            "_unhashable_values_map_": {},
        },
    )
    new, has_arguments = common["_new_member_"], common["_use_args_"]
    own = cls._member_names_
    for one, value in zip(names, values, strict=True):
        member = by_value.get(value)
        if member is None:
            member = by_value[value] = new(cls, value) if has_arguments else new(cls)
            member._value_ = value
            member._name_ = one
            member.__objclass__ = cls
            member._sort_order_ = len(own)
            own.append(one)
        by_name[one] = member
    for one, member in by_name.items():
        type.__setattr__(cls, one, member)
    return cls


_COMMON = {}


def _common(base):
    """What all enumerations that derive from `base` have."""
    kind = base._member_type_
    new, _, has_arguments = enum.EnumType._find_new_({}, kind, base)
    common = {
        "_generate_next_value_": base.__dict__["_generate_next_value_"],
        "_new_member_": new,
        "_use_args_": has_arguments,
        "_member_type_": kind,
        "_value_repr_": base._value_repr_,
        "__new__": enum.Enum.__new__,
    }
    for name in ("__repr__", "__str__", "__format__", "__reduce_ex__"):
        method = getattr(base, name)
        if method in (getattr(kind, name), getattr(object, name)):
            common[name] = method
    _COMMON[base] = common
    return common
