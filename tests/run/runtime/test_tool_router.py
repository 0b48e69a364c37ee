"""The embedded tool-router: picks, abstains, and learns only through its declared components."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.run.runtime import UnknownRuntime, runtime_for, runtime_kinds
from specloop.run.runtime.tool_router import ToolRouter, hint_key
from specloop.testing.datasets.bfcl import baseline_config, load_b1

WEATHER: dict[str, Any] = {"name": "get_weather", "description": "Weather forecast for a city", "parameters": {}}
MUSIC: dict[str, Any] = {
    "name": "play_song",
    "description": "Play a song",
    "parameters": {"properties": {"artist": {"type": "string"}}},
}


def config(**params: Any) -> dict[str, Any]:
    base = baseline_config()
    return {**base, "params": {**base["params"], **params}}


def ask(request: str, setup: dict[str, Any], *tools: dict[str, Any]) -> str | None:
    return ToolRouter().run(setup, {"request": request, "tools": list(tools or (WEATHER, MUSIC))}).value["tool"]


def test_it_picks_the_tool_that_the_request_describes() -> None:
    assert ask("weather forecast for the city of Rome", config(threshold=0.5)) == "get_weather"
    assert ask("play a song by the artist Prince", config(threshold=0.5)) == "play_song"


def test_it_abstains_when_nothing_fits() -> None:
    assert ask("translate this poem into Latin", config(threshold=0.5)) is None


def test_it_abstains_when_two_tools_are_too_close() -> None:
    twin = {**WEATHER, "name": "weather_get"}
    assert ask("weather forecast", config(threshold=0.1, margin=0.2), WEATHER, twin) is None


def test_a_hint_word_speaks_for_its_tool_alone() -> None:
    hints = {hint_key("play_song", "umbrella"): 2.0}
    assert ask("do I need an umbrella", config(threshold=1.0, hints=hints)) == "play_song"
    assert ask("do I need an umbrella", config(threshold=1.0)) is None


def test_a_reject_word_speaks_for_calling_nothing() -> None:
    request = "weather forecast for the city of Rome in Latin"
    assert ask(request, config(threshold=0.5, reject={"latin": 2.0})) is None


def test_a_disabled_tool_is_never_called() -> None:
    setup = {**config(threshold=0.1), "tools": [{"name": "get_weather", "enabled": False}]}
    assert ask("weather forecast for a city", setup) is None


def test_the_agents_own_catalogue_is_used_when_the_input_offers_none() -> None:
    setup = {**config(threshold=0.5), "tools": [WEATHER, MUSIC]}
    assert ToolRouter().run(setup, {"request": "weather forecast city"}).value["tool"] == "get_weather"


def test_messages_are_understood_like_a_request() -> None:
    said = [{"role": "user", "content": "weather forecast for a city"}]
    value = {"messages": said, "tools": [WEATHER]}
    assert ToolRouter().run(config(threshold=0.5), value).value["tool"] == "get_weather"


def test_no_tools_at_all_is_no_call() -> None:
    assert ToolRouter().run(config(), {"request": "hello"}).value == {"tool": None}


def test_a_batch_equals_single_runs() -> None:
    tasks = load_b1()[::40]
    router, setup = ToolRouter(), config(hints={hint_key("uber.ride", "ride"): 1.0}, reject={"api": 0.4})
    inputs = [task.input for task in tasks]
    assert router.run_batch(setup, inputs) == [ToolRouter().run(setup, value) for value in inputs]


@given(
    st.lists(st.sampled_from(["weather", "song", "rome", "play"]), max_size=4), st.sampled_from(["weather", "zebra"])
)
def test_a_change_that_cannot_reach_an_input_does_not_change_its_output(words: list[str], word: str) -> None:
    router = ToolRouter()
    value = {"request": " ".join(words), "tools": [WEATHER, MUSIC]}
    changed = config(reject={word: 1.0})
    if router.affected([f"/params/reject/{word}"], [value]) == [False]:
        assert router.run(config(), value) == router.run(changed, value)


def test_anything_but_words_reaches_every_input() -> None:
    assert ToolRouter().affected(["/params/threshold"], [{"request": "x"}, {"request": "y"}]) == [True, True]


def test_every_component_points_at_a_value_of_the_baseline() -> None:
    setup = baseline_config()
    for component in ToolRouter().components(setup):
        place: Any = setup
        for token in component.pointer.split("/")[1:]:
            place = place[token]


def test_kinds_are_found_by_name_and_unknown_ones_name_the_known() -> None:
    assert "tool-router" in runtime_kinds()
    with pytest.raises(UnknownRuntime, match="tool-router"):
        runtime_for("nothing-like-it")
