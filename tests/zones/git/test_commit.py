import pytest

from tests.support.packs import BLOB, COMMIT, TREE, commit_of, object_id
from zones.git.commit import CommitTree, read_commit
from zones.git.errors import BadAnswer
from zones.git.limits import DEFAULT_LIMITS, Limits
from zones.git.pack import Object
from zones.slices import run_to_end

TAG = 4


class Store:
    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}

    def add(self, kind: int, content: bytes, identity: str = "") -> str:
        identity = identity or object_id(kind, content)
        self.objects[identity] = Object(kind, content)
        return identity

    def lookup(self, identity: str) -> Object:
        try:
            return self.objects[identity]
        except KeyError:
            raise BadAnswer(f"lacks {identity}") from None

    def commit(self, tree: bytes) -> str:
        person = b"A <a@example.com> 1 +0000"
        top = self.add(TREE, tree).encode()
        return self.add(COMMIT, b"tree %s\nauthor %s\ncommitter %s\n\nm\n" % (top, person, person))

    def read(self, identity: str, limits: Limits = DEFAULT_LIMITS) -> CommitTree:
        return run_to_end(read_commit(identity, self.lookup, limits))


def item(mode: bytes, name: bytes, identity: str) -> bytes:
    return b"%s %s\0%s" % (mode, name, bytes.fromhex(identity))


def test_a_commit() -> None:
    store = Store()
    identity, objects = commit_of({"example.com": b"zone"})
    for kind, content in objects:
        store.add(kind, content)
    tree = store.read(identity)
    assert (tree.revision, tree.message, tree.read("example.com")) == (identity, "message\n", b"zone")


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        (b"100644 name", "damaged"),
        (b"100644name\0" + bytes(20), "damaged"),
        (b"rw name\0" + bytes(20), "damaged"),
        (b"100644 name\0" + bytes(19), "damaged"),
        (b"100644 \0" + bytes(20), "proper name"),
        (b"100644 ..\0" + bytes(20), "proper name"),
        (b"100644 ../etc\0" + bytes(20), "proper name"),
        (b"40000 folder\0" + bytes(20), "lacks"),
    ],
)
def test_broken_trees(tree: bytes, complaint: str) -> None:
    store = Store()
    with pytest.raises(BadAnswer, match=complaint):
        store.read(store.commit(tree))


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"tree \n\n", b"author x\n\nmessage", b"tree " + b"z" * 40 + b"\n\nm", b"\xff\0\n\n"]
)
def test_broken_commits(content: bytes) -> None:
    store = Store()
    with pytest.raises(BadAnswer):
        store.read(store.add(COMMIT, content))


def test_a_branch_that_names_no_commit() -> None:
    store = Store()
    with pytest.raises(BadAnswer, match="is a blob, no commit"):
        store.read(store.add(BLOB, b"x"))


def test_tags_that_name_one_another() -> None:
    store = Store()
    text = b"object %s\ntype tag\ntag t\ntagger A <a@example.com> 1 +0000\n\nm\n"
    store.add(TAG, text % (b"2" * 40), "1" * 40)
    store.add(TAG, text % (b"1" * 40), "2" * 40)
    with pytest.raises(BadAnswer, match="name one another"):
        store.read("1" * 40)


def test_a_tree_bomb_is_bounded() -> None:
    """Ten folders which are all the same one, ten levels down: ten thousand million files."""
    store = Store()
    tree = item(b"100644", b"file", store.add(BLOB, b"x"))
    for _ in range(10):
        identity = store.add(TREE, tree)
        tree = b"".join(item(b"40000", b"%d" % number, identity) for number in range(10))
    with pytest.raises(BadAnswer, match="more than 5000 files"):
        store.read(store.commit(tree), Limits(objects=5000))


def test_folders_may_not_be_too_deep() -> None:
    store = Store()
    tree = item(b"100644", b"file", store.add(BLOB, b"x"))
    for _ in range(100):
        tree = item(b"40000", b"d", store.add(TREE, tree))
    with pytest.raises(BadAnswer, match="too deep"):
        store.read(store.commit(tree))
