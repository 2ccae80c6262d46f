from __future__ import annotations

from components.protection.places import PlaceLimits, Places

MAX = PlaceLimits(of_visitor=2, of_network=3, of_all=4)


def test_places_are_limited_per_visitor_per_network_and_in_total() -> None:
    places = Places(MAX)
    assert [places.take("a", "here") for _ in range(3)] == [True, True, False]
    assert [places.take("b", "here") for _ in range(2)] == [True, False]
    assert [places.take("c", "there") for _ in range(2)] == [True, False]


def test_a_released_place_is_free_and_a_refused_one_is_not_counted() -> None:
    places = Places(MAX)
    with places.held("a", None) as first, places.held("a", None) as second, places.held("a", None) as third:
        assert (first, second, third) == (True, True, False)
    assert [places.take("a", None) for _ in range(3)] == [True, True, False]


def test_an_unknown_visitor_counts_for_the_network_and_the_total() -> None:
    places = Places(MAX)
    assert [places.take(None, "here") for _ in range(4)] == [True, True, True, False]
    assert [places.take(None, None) for _ in range(2)] == [True, False]
