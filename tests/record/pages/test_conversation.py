"""Laws of cutting a session into pieces, and what tool calls become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.app.web.recorded import conversation
from specloop.app.web.recorded.calls import call_of
from specloop.record.sessions.transcript import Tool, Transcript
from tests.record.transcript.builders import exchange, said, transcript, used

SIZES = st.lists(st.lists(st.integers(0, 30_000), max_size=6), min_size=1, max_size=12)


def made(sizes: list[list[int]]) -> Transcript:
    """A transcript whose exchanges hold texts of these lengths."""
    return transcript(*(exchange(*(said("agent", "x" * size or "y", 1) for size in one)) for one in sizes))


def pieces(whole: Transcript) -> list[conversation.Chunk]:
    """All pieces in order."""
    headings = conversation.headings_of(whole, [])
    found: list[conversation.Chunk] = []
    place: conversation.Place | None = (0, 0)
    while place is not None:
        found.append(conversation.chunk_at(whole, headings, place, "Agent", None))
        place = found[-1].next
    return found


@given(SIZES)
def test_pieces_hold_every_item_once_and_in_order(sizes: list[list[int]]) -> None:
    whole = made(sizes)
    shown = [item.place for piece in pieces(whole) for section in piece.sections for item in section.items]
    assert shown == [f"{n}-{i}" for n, one in enumerate(sizes, 1) for i in range(len(one))]


@given(SIZES)
def test_pieces_hold_the_head_of_every_exchange_once(sizes: list[list[int]]) -> None:
    heads = [
        section.heading.number
        for piece in pieces(made(sizes))
        for section in piece.sections
        if not section.is_continued
    ]
    assert heads == list(range(1, len(sizes) + 1))


@given(SIZES)
def test_the_way_back_leads_over_the_same_pieces(sizes: list[list[int]]) -> None:
    found = pieces(made(sizes))
    assert [piece.previous for piece in found] == [None, *(piece.start for piece in found[:-1])]


@given(SIZES, st.integers(0, 50), st.integers(0, 50))
def test_any_place_shows_something(sizes: list[list[int]], number: int, skip: int) -> None:
    whole = made(sizes)
    piece = conversation.chunk_at(whole, conversation.headings_of(whole, []), (number, skip), "Agent", None)
    assert piece.sections


def kinds(tool: Tool) -> list[str]:
    """The kinds of the parts of a call."""
    return [block.kind for block in call_of(tool, "/home/dev/demo").blocks]


@pytest.mark.parametrize(
    ("source", "added", "removed"),
    [
        ({"file_path": "/home/dev/demo/a.py", "old_string": "a", "new_string": "b\nc"}, 2, 1),
        ({"filePath": "a.py", "oldString": "", "newString": "b"}, 1, 0),
        ({"path": "a.py", "edits": [{"old_str": "a", "new_str": "b"}, {"old_str": "c", "new_str": "d"}]}, 2, 2),
        ({"input": "*** Begin Patch\n*** Update File: a.py\n@@\n-a\n+b\n+c\n*** End Patch"}, 2, 1),
        ({"patch": "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"}, 1, 1),
    ],
)
def test_edits_of_every_agent_are_diffs(source: dict[str, object], added: int, removed: int) -> None:
    call = call_of(Tool("Edit", "write", input=source), "/home/dev/demo")
    assert call.is_edit
    assert (call.added, call.removed) == (added, removed)


def test_a_patch_of_several_files_is_a_diff_for_each() -> None:
    patch = "*** Begin Patch\n*** Add File: a.py\n+one\n*** Update File: b.py\n@@\n-two\n+three\n*** End Patch"
    blocks = call_of(Tool("apply_patch", "write", input={"input": patch})).blocks
    assert [(block.kind, block.label) for block in blocks] == [("diff", "a.py"), ("diff", "b.py")]


def test_tasks_are_lists_whichever_agent_wrote_them() -> None:
    claude = Tool("TodoWrite", "task", input={"todos": [{"content": "Read", "status": "completed"}]})
    codex = Tool("update_plan", "task", input={"plan": [{"step": "Read", "status": "in_progress"}]})
    written = Tool("TodoWrite", "task", formatted_markdown="**Agent task list:**\n- [X] 🔥 Read\n- [ ] Write")
    states = [[one.state for block in call_of(tool).blocks for one in block.todos] for tool in (claude, codex, written)]
    assert states == [["done"], ["doing"], ["done", "open"]]
    assert call_of(written).about == "1 of 2 done"


def test_a_file_loses_its_line_numbers_and_gains_its_language() -> None:
    output = {"content": "     7→def f():\n     8→    pass"}
    block = call_of(Tool("Read", "read", input={"file_path": "/home/dev/demo/a.py"}, output=output)).blocks[0]
    assert (block.kind, block.text, block.language, block.label) == (
        "code",
        "def f():\n    pass",
        "python",
        "from line 7",
    )


ODD: list[dict[str, Any]] = [
    {"todos": [None, 3, {}]},
    {"edits": ["x", {"old_string": 3, "new_string": None}]},
    {"command": ["ls", 3]},
    {"content": {"a": 1}},
    {"_cwd": "/", "": "", "x" * 5000: "y" * 9000},
]


@pytest.mark.parametrize("source", ODD)
def test_odd_input_is_shown_and_breaks_nothing(source: dict[str, Any]) -> None:
    for kind in ("task", "write", "read", "unknown", "no such kind"):
        call = call_of(Tool("", kind, input=source, output={"content": ["a", {"text": "b"}, 3]}))
        assert conversation.call_html(call) is not None
        assert call.name == "tool"


def test_two_huge_texts_are_compared_in_time() -> None:
    source = {"file_path": "a", "old_string": "a b\n" * 60_000, "new_string": "b a\n" * 60_000}
    assert kinds(Tool("Edit", "write", input=source)) == ["diff"]


def test_titles_come_from_what_was_asked_and_not_from_its_wrapping() -> None:
    wrapped = "<command-message>pr</command-message>\n<command-name>/pr-review</command-name>"
    noted = "<task-notification><task-id>a1</task-id><summary>Agent finished</summary></task-notification>"
    titles = [
        conversation.first_words(exchange(said("user", text, 1)))
        for text in (wrapped, noted, "\n\n# **Fix** `it`\nmore", "<b>bold</b> x")
    ]
    assert titles == ["/pr-review", "Agent finished", "Fix it", "<b>bold</b> x"]


def test_files_are_named_from_the_project_with_their_first_exchange() -> None:
    write = used("Edit", "write", input={"file_path": "/home/dev/demo/src/a.py"})
    failed = used("Edit", "write", input={"file_path": "/home/dev/demo/src/b.py"}, is_error=True)
    whole = transcript(exchange(said("user", "x", 1)), exchange(write, failed), exchange(write))
    files = conversation.touched_files(whole, conversation.root_of(whole))
    assert [(one.path, one.writes, one.number) for one in files] == [("src/a.py", 2, 2)]
