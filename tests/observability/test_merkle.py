"""The tree against the test vectors of Certificate Transparency, and its proofs against everything that is wrong."""

import random
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.merkle import (
    EMPTY_ROOT,
    NODE_LEVELS,
    Frontier,
    Node,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

pytestmark = pytest.mark.same_everywhere

INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
LEAVES = [leaf_hash(bytes.fromhex(each)) for each in INPUTS]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [  # leaf from 0, size, proof
    (0, 1, []),
    (0, 8, [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]),
    (5, 8, [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (1, 5, [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]),
]  # fmt: skip
CONSISTENCY = [  # old size, new size, proof
    (1, 1, []),
    (1, 8, INCLUSION[1][2]),
    (6, 8, [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]),
    (2, 5, [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]),
    (6, 7, [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]),
]  # fmt: skip
OTHER = bytes(range(32))


def subtrees(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    """The root of each full subtree, worked out anew."""
    return cache(lambda level, number: root_of(leaves[number << level : (number + 1) << level]))


def by_definition(leaves: list[bytes]) -> bytes:
    """The root as RFC 6962, 2.1 defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(by_definition(leaves[:half]), by_definition(leaves[half:]))


def many(count: int) -> list[bytes]:
    return [leaf_hash(str(each).encode()) for each in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_proofs_are_those_of_certificate_transparency(index: int, size: int, proof: list[str]) -> None:
    made = inclusion_proof(index, size, subtrees(LEAVES))

    assert [each.hex() for each in made] == proof
    assert is_included(LEAVES[index], index, size, made, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(old: int, new: int, proof: list[str]) -> None:
    made = consistency_proof(old, new, subtrees(LEAVES))

    assert [each.hex() for each in made] == proof
    assert is_consistent(old, bytes.fromhex(ROOTS[old - 1]), new, bytes.fromhex(ROOTS[new - 1]), made)


@pytest.mark.parametrize(("index", "size", "told"), INCLUSION[1:])
def test_a_wrong_inclusion_proof_does_not_hold(index: int, size: int, told: list[str]) -> None:
    proof, root, leaf = [bytes.fromhex(each) for each in told], bytes.fromhex(ROOTS[size - 1]), LEAVES[index]
    flipped = [
        [*proof[:place], bytes([each[0] ^ 8]) + each[1:], *proof[place + 1 :]] for place, each in enumerate(proof)
    ]
    wrong = [
        (leaf, index - 1, size, proof, root), (leaf, index + 1, size, proof, root),
        (leaf, index ^ 2, size, proof, root),
        (leaf, index, size * 2, proof, root), (leaf, index, size // 2, proof, root), (leaf, index, 0, proof, root),
        (b"WrongLeaf", index, size, proof, root), (leaf, index, size, proof, EMPTY_ROOT),
        (leaf, index, size, proof, OTHER), (leaf, index, size, [*proof, b""], root),
        (leaf, index, size, [*proof, root], root), (leaf, index, size, [b"", *proof], root),
        (leaf, index, size, [root, *proof], root), (leaf, index, size, proof[:-1], root),
        (leaf, index, size, [proof[0], OTHER, *proof[1:]], root), (leaf, size, size, proof, root),
        *((leaf, index, size, each, root) for each in flipped),
    ]  # fmt: skip

    assert not any(is_included(*each) for each in wrong)


@pytest.mark.parametrize(("old", "new", "told"), CONSISTENCY[1:])
def test_a_wrong_consistency_proof_does_not_hold(old: int, new: int, told: list[str]) -> None:
    proof = [bytes.fromhex(each) for each in told]
    old_root, new_root = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    flipped = [
        [*proof[:place], bytes([each[0] ^ 16]) + each[1:], *proof[place + 1 :]] for place, each in enumerate(proof)
    ]
    wrong = [
        (old - 1, old_root, new, new_root, proof), (old + 1, old_root, new, new_root, proof),
        (old ^ 2, old_root, new, new_root, proof), (old, old_root, new * 2, new_root, proof),
        (old, old_root, new // 2, new_root, proof), (old, b"WrongRoot", new, new_root, proof),
        (old, old_root, new, b"WrongRoot", proof), (old, new_root, new, old_root, proof),
        (old, old_root, new, new_root, []), (old, old_root, new, new_root, [*proof, b""]),
        (old, old_root, new, new_root, [*proof, old_root]), (old, old_root, new, new_root, [*proof, new_root]),
        (old, old_root, new, new_root, [b"", *proof]), (old, old_root, new, new_root, [old_root, *proof]),
        (old, old_root, new, new_root, [new_root, *proof]), (old, old_root, new, new_root, [proof[0], *proof]),
        (old, old_root, new, new_root, proof[:-1]),
        *((old, old_root, new, new_root, each) for each in flipped),
    ]  # fmt: skip

    assert not any(is_consistent(*each) for each in wrong)


@pytest.mark.parametrize(
    ("old", "old_root", "new", "new_root", "proof", "holds"),
    [
        (0, EMPTY_ROOT, 0, OTHER, [], False),
        (1, OTHER, 1, EMPTY_ROOT, [], False),
        (0, EMPTY_ROOT, 0, EMPTY_ROOT, [], True),
        (0, EMPTY_ROOT, 1, OTHER, [], True),  # nothing is the beginning of everything
        (0, OTHER, 1, OTHER, [], False),
        (1, OTHER, 1, OTHER, [], True),
        (1, OTHER, 0, OTHER, [], False),
        (2, OTHER, 1, OTHER, [], False),
        (1, OTHER, 2, OTHER, [], False),
        (1, OTHER, 1, OTHER, [OTHER], False),
    ],
)
def test_trees_without_a_way_between_them(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes], holds: bool
) -> None:
    assert is_consistent(old, old_root, new, new_root, proof) is holds


def test_a_thousand_random_proofs_of_each_kind_hold_and_none_of_a_changed_leaf() -> None:
    draw, leaves = random.Random(6962), many(1000)
    subtree, frontier, roots = subtrees(leaves), Frontier(), [EMPTY_ROOT]
    for leaf in leaves:
        frontier.append([leaf])
        roots.append(frontier.root())
    for _ in range(1000):
        size = draw.randint(1, len(leaves))
        index, old = draw.randrange(size), draw.randint(1, size)
        proof = inclusion_proof(index, size, subtree)

        assert is_included(leaves[index], index, size, proof, roots[size])
        assert not is_included(OTHER, index, size, proof, roots[size])
        assert is_consistent(old, roots[old], size, roots[size], consistency_proof(old, size, subtree))
        if old < size:
            proof = consistency_proof(old, size, subtree)
            assert not is_consistent(old, OTHER, size, roots[size], proof)
            assert not is_consistent(old, roots[old], size, OTHER, proof)


@given(st.lists(st.integers(0, 40), max_size=6))
def test_appending_in_any_portions_makes_the_tree_of_the_definition(portions: list[int]) -> None:
    leaves, frontier = many(sum(portions)), Frontier()
    for count in portions:
        frontier = Frontier.of(frontier.size, frontier.as_bytes())
        frontier.append(leaves[frontier.size : frontier.size + count])

    assert (frontier.size, frontier.root()) == (len(leaves), by_definition(leaves))


@given(st.integers(0, 1100), st.integers(0, 1100))
@settings(max_examples=30)
def test_full_subtrees_are_told_once_each(first: int, second: int) -> None:
    leaves, frontier = many(first + second), Frontier()

    told = [*frontier.append(leaves[:first]), *frontier.append(leaves[first:])]

    assert told == [
        Node(NODE_LEVELS, number, root_of(leaves[number * 256 : (number + 1) * 256]))
        for number in range(len(leaves) // 256)
    ]


@given(st.data())
@settings(max_examples=60)
def test_a_proof_leads_from_no_other_place(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    leaves = many(size)
    proof = inclusion_proof(index, size, subtrees(leaves))

    assert is_included(leaves[index], other, size, proof, root_of(leaves)) is (other == index)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_is_made_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, subtrees(LEAVES))


def test_a_frontier_has_as_many_hashes_as_its_size_asks_for() -> None:
    with pytest.raises(ValueError, match="2 full subtrees"):
        Frontier.of(3, OTHER)
    with pytest.raises(ValueError, match="no beginning"):
        consistency_proof(4, 3, subtrees(LEAVES))
