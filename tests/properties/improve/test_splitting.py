"""Laws of splitting (spectral.md §2.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.improve.samples.splitting import (
    SPLITS,
    Splittable,
    default_ratios,
    near_duplicates,
    sample_text,
    split_samples,
    splittable,
)

texts = st.lists(st.text("abcdefgh ", min_size=1, max_size=60), min_size=1, max_size=30)


def described(requests: list[str]) -> list[Splittable]:
    return [splittable(str(i), {"request": text}) for i, text in enumerate(requests)]


@given(texts, st.text(max_size=5))
def test_every_sample_gets_exactly_one_split_and_equal_contents_the_same(requests: list[str], salt: str) -> None:
    result = split_samples(described(requests), salt)
    assert set(result.splits) == {str(i) for i in range(len(requests))}
    assert sum(result.report.counts[name] for name in SPLITS) == len(requests)
    for i, left in enumerate(requests):
        for j, right in enumerate(requests[:i]):
            if left == right:
                assert result.splits[str(i)] == result.splits[str(j)]


@given(texts)
def test_the_order_of_samples_does_not_matter(requests: list[str]) -> None:
    samples = described(requests)
    assert dict(split_samples(samples[::-1], "s").splits) == dict(split_samples(samples, "s").splits)


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=30))
def test_a_group_is_never_torn_apart(groups: list[str]) -> None:
    samples = [splittable(str(i), {"request": f"unlike {i * 7919}"}, group) for i, group in enumerate(groups)]
    splits = split_samples(samples, "s").splits
    for group in set(groups):
        assert len({splits[str(i)] for i, own in enumerate(groups) if own == group}) == 1


def test_near_duplicates_are_forced_into_one_split_and_reported() -> None:
    words = " ".join(f"word{i}" for i in range(60))
    samples = described([f"{words} {i}" for i in range(40)])
    result = split_samples(samples, "salt")
    assert len(set(result.splits.values())) == 1
    assert result.report.near_duplicate_groups == 39
    assert result.report.forced


def test_unlike_texts_are_no_near_duplicates() -> None:
    assert list(near_duplicates(["book a table for two", "play some jazz music", "", "!"])) == []


def test_the_ratios_are_met_on_a_large_set() -> None:
    samples = described([f"request number {i} about {i * 31} things" for i in range(2_000)])
    counts = split_samples(samples, "s").report.counts
    for name, share in zip(SPLITS, default_ratios(2_000), strict=True):
        assert counts[name] / 2_000 == pytest.approx(share, abs=0.04)


def test_small_sets_keep_more_for_the_proof() -> None:
    assert default_ratios(299) == (0.4, 0.2, 0.4)
    assert default_ratios(300) == (0.5, 0.2, 0.3)


@pytest.mark.parametrize("ratios", [(0.5, 0.5, 0.0), (0.5, 0.3, 0.3), (-0.1, 0.6, 0.5)])
def test_ratios_must_make_three_parts_of_a_whole(ratios: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="ratios"):
        split_samples(described(["a"]), "s", ratios)


def test_the_text_of_a_sample_is_what_the_user_said() -> None:
    said = {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "hello"}]}
    assert sample_text(said) == "hello"
    assert sample_text({"a": 1}) == '{"a":1}'
