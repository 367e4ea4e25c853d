"""The page of `view` in a real browser: what it shows, by keyboard and mouse, wide and narrow, and what hostile content does to it."""

from __future__ import annotations

import json
import time

import pytest
from opentelemetry.trace import Status, StatusCode

from loopback import ModelServer
from viewed import Browser, Exporting, no_browser, viewing
from viewed.travel import travelling

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.process,
    pytest.mark.skipif(bool(no_browser()), reason=no_browser() or "there is a browser"),
]

FOCUSED = "document.activeElement.closest('[data-trace], [data-span], [id]')"
HOSTILE = (
    "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'><svg onload='window.hit = 1'></svg>"
    "</textarea></pre><style>body { display: none }</style><a href='javascript:window.hit=1'>x</a>"
    "\x1b[2J\x1b]0;owned\x07 \u202ecod\u202c {{7*7}} ${7*7} '\"`"
)
SHOWN = r"\u001b[2J\u001b]0;owned\u0007 \u202ecod\u202c {{7*7}} ${7*7} '" + '"`'


@pytest.fixture(scope="module")
def browser():
    """One browser for all tests."""
    running = Browser()
    yield running
    running.close()


@pytest.fixture
def view(tmp_path):
    """A viewer that has received nothing. A test takes it before its page, which asks it as long as it is open."""
    with viewing(tmp_path) as running:
        yield running


@pytest.fixture
def page(browser):
    """A page of 1280 pixels; nothing in red may stand in its console at the end."""
    opened = browser.page()
    yield opened
    opened.close()
    assert opened.problems == []


@pytest.fixture(scope="module")
def conversations(tmp_path_factory):
    """A viewer with the traces of an application, made by real calls of three SDKs."""
    folder = tmp_path_factory.mktemp("view")
    server = ModelServer()
    with viewing(folder) as view:
        exporting = Exporting(view, service="travel-desk")
        with travelling(server, exporting, folder) as travel:
            travel.pace = 0.2
            travel.all()
        assert exporting.flush()
        exporting.close()
        yield view
    server.close()


@pytest.fixture
def shown(page, conversations):
    """The page with the list of these traces."""
    page.open(conversations.serving.url)
    page.wait_for("document.querySelectorAll('#rows a').length === 6 && document.querySelector('#live.on')")
    return page


def rows(page) -> list[str]:
    """What the list says first of each trace."""
    return page.value("[...document.querySelectorAll('#rows .words')].map((one) => one.textContent)")


def listed(page, number: int) -> list[str]:
    """The list as soon as it has so many traces."""
    page.wait_for(f"document.querySelectorAll('#rows a').length === {number}")
    return rows(page)


def asked_last(order: str) -> str:
    """Whether the list stands in an order, as an expression."""
    return f"document.querySelector('#rows').dataset.sort === '{order}'"


def tree(page) -> list[str]:
    """The names of the spans that are shown."""
    return page.value("[...document.querySelectorAll('#tree .label')].map((one) => one.textContent)")


def selected(page) -> str:
    """The heading of the span that is shown, once it is the one that is selected in the tree."""
    page.wait_for(
        "document.querySelector('[aria-selected=true] .label').textContent === document.querySelector('#span h2')?.textContent"
    )
    return page.text("#span h2")


class TestList:
    """The first screen."""

    def test_rows(self, shown):
        """Each trace has the first words of its user, and models, tokens, cost and errors."""
        assert rows(shown) == [
            "And what if we leave on Thursday evening?",
            "Can you plan a weekend in Lisbon for two, by train from Madrid?",
            "Summarise my trips of this year",
            "How much may a hotel in Lisbon cost?",
            "What is the total of this receipt?",
            "A title of three words for: a weekend in Lisbon by train",
        ]
        third = shown.text("#rows li:nth-child(3)")
        second = shown.text("#rows li:nth-child(2)")
        assert "1 error" in third
        assert all(words in second for words in ("gpt-4o", "openai", "824 → 130", "$0.00256", "7 spans", "travel-desk"))
        assert shown.text("#live") == "6 traces"

    def test_it_is_soon_there(self, page, conversations):
        """The first screen stands within two seconds, by the best of three."""
        seconds = []
        for _ in range(3):
            start = time.monotonic()
            page.open(conversations.serving.url)
            page.wait_for("document.querySelectorAll('#rows a').length === 6")
            seconds.append(time.monotonic() - start)

        assert min(seconds) < 2

    def test_it_talks_to_its_server_alone(self, shown, conversations):
        """No request goes anywhere else."""
        assert shown.requests
        own = f"http://127.0.0.1:{conversations.serving.page}/"
        assert [] == [url for url in shown.requests if not url.startswith(own) and url != "about:blank"]

    def test_filters(self, shown):
        """By model, provider, errors, attribute; they are in the address, and can be removed."""
        shown.value(
            "(() => { const it = document.querySelector('#provider'); it.value = 'anthropic'; it.dispatchEvent(new Event('change')) })()"
        )
        assert listed(shown, 1) == ["How much may a hotel in Lisbon cost?"]
        assert shown.value("location.hash") == "#/?provider=anthropic"
        shown.value(
            "(() => { const it = document.querySelector('#provider'); it.value = ''; it.dispatchEvent(new Event('change')) })()"
        )
        listed(shown, 6)
        shown.click("label.toggle:has(#errors)")
        assert listed(shown, 1) == ["Summarise my trips of this year"]
        shown.click("label.toggle:has(#errors)")
        listed(shown, 6)
        shown.click("#tag")
        shown.type("gen_ai.tag.team=travel")
        shown.key("Enter")
        assert len(listed(shown, 3)) == 3
        shown.click(".chip")
        assert len(listed(shown, 6)) == 6

    def test_search(self, shown):
        """`/` goes to the search, which finds as one types; Escape clears it."""
        shown.key("/")
        assert shown.value("document.activeElement.id") == "text"
        shown.type("breakfast")
        assert listed(shown, 1) == ["How much may a hotel in Lisbon cost?"]
        shown.type("nowhere")
        shown.wait_for("!document.querySelector('#empty').hidden")
        assert "Nothing matches" in shown.text("#empty")
        shown.key("Escape")
        assert len(listed(shown, 6)) == 6

    def test_keys(self, shown):
        """Arrows move through the list, Enter opens a trace, Escape comes back to the same place."""
        shown.key("ArrowDown")
        shown.key("ArrowDown")
        shown.key("ArrowDown")
        shown.key("ArrowUp")
        first = shown.value(f"{FOCUSED}.dataset.trace")
        assert shown.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        shown.key("Enter")
        shown.wait_for("!document.querySelector('#detail').hidden && document.querySelector('#span h2')")
        assert shown.text("#title") == "invoke_agent travel_desk"
        shown.key("Escape")
        shown.wait_for(f"!document.querySelector('#list').hidden && {FOCUSED}?.dataset.trace === {json.dumps(first)}")

    def test_orders(self, shown, conversations):
        """The headings are reached by Tab and chosen by Enter: time, duration, tokens, cost; the address has the order."""
        shown.key("/")
        found = {}
        for _ in range(12):
            shown.key("Tab")
            name = shown.value("document.activeElement.dataset.sort")
            if not name:
                continue
            shown.key("Enter")
            shown.wait_for(f"document.activeElement.getAttribute('aria-pressed') === 'true' && {asked_last(name)}")
            found[name] = shown.value("[...document.querySelectorAll('#rows a')].map((one) => one.dataset.trace)")
            assert shown.value("document.querySelectorAll('#head [aria-pressed=true]').length") == 1
            assert shown.value("location.hash") == ("#/" if name == "start" else f"#/?sort={name}")

        assert list(found) == ["start", "duration", "tokens", "cost"]
        assert found == {name: [row["id"] for row in conversations.traces(sort=name)] for name in found}
        assert len({tuple(order) for order in found.values()}) > 2

    def test_an_order_stays(self, page, conversations):
        """It is that of the address, also after a trace was opened."""
        page.open(f"{conversations.serving.url}#/?sort=cost")
        dearest = conversations.traces(sort="cost")[0]["id"]
        page.wait_for(f"document.querySelector('#rows a')?.dataset.trace === '{dearest}'")
        page.click("#rows a")
        page.wait_for("!document.querySelector('#detail').hidden && document.querySelector('#span h2')")
        page.key("Escape")
        page.wait_for("!document.querySelector('#list').hidden && location.hash === '#/?sort=cost'")

        assert page.value("document.querySelector('#head [aria-pressed=true]').dataset.sort") == "cost"

    def test_an_address(self, page, conversations):
        """The address has the filters, so that it can be opened again."""
        page.open(f"{conversations.serving.url}#/?errors=1&tag=gen_ai.tag.team%3Dtravel")

        assert listed(page, 1) == ["Summarise my trips of this year"]
        assert page.text(".chip") == "gen_ai.tag.team=travel"


class TestDetail:
    """One trace."""

    @pytest.fixture
    def opened(self, shown):
        """The trace of the agent, opened by a click."""
        shown.click("#rows li:nth-child(2) a")
        shown.wait_for("!document.querySelector('#detail').hidden && document.querySelector('#span h2')")
        return shown

    def test_the_tree(self, opened):
        """It has the spans of all instrumentations, the waterfall, and the time of the first token."""
        assert tree(opened) == [
            "invoke_agent travel_desk",
            "chat gpt-4o",
            "execute_tool get_weather",
            "GET",
            "execute_tool find_trains",
            "GET",
            "chat gpt-4o",
        ]
        bars = opened.value(
            "[...document.querySelectorAll('.stretch')].map((one) => [one.offsetLeft, one.offsetWidth, !!one.querySelector('.waiting')])"
        )
        assert [first for _, _, first in bars] == [False] * 6 + [True]
        assert bars[0][0] == 0
        assert sorted(left for left, _, _ in bars) == [left for left, _, _ in bars]
        assert opened.value("document.querySelectorAll('.stretch')[6].title").startswith("first token after ")

    def test_the_messages(self, opened):
        """The last call of the model has the conversation: instructions, question, calls of tools, their results, the answer."""
        assert selected(opened) == "chat gpt-4o"
        roles = opened.value("[...document.querySelectorAll('#span .message')].map((one) => one.className)")
        assert roles == [
            "message system",
            "message user",
            "message assistant",
            "message tool",
            "message tool",
            "message assistant output",
        ]
        text = opened.text("#span")
        assert all(
            words in text
            for words in (
                "You are the travel desk",
                "calls get_weather",
                "result of find_trains",
                "leaves Madrid at 21:43",
                "506 (384 cached)",
                "Output tokens",
                "First token",
                "$0.00167",
                "2 tools",
                "gen_ai.tag.team",
            )
        )

    def test_keys(self, opened):
        """Arrows move in the tree, fold it and unfold it; Enter goes to the span, Escape back to the tree and to the list."""
        opened.wait_for("document.activeElement.dataset.span")
        opened.key("Home")
        opened.value("document.querySelectorAll('#tree [role=treeitem]')[0].click()")
        assert selected(opened) == "invoke_agent travel_desk"
        opened.key("ArrowDown")
        opened.key("ArrowDown")
        assert selected(opened) == "execute_tool get_weather"
        assert "Arguments" in opened.text("#span")
        opened.key("ArrowLeft")
        assert tree(opened).count("GET") == 1
        opened.key("ArrowLeft")
        assert selected(opened) == "invoke_agent travel_desk"
        opened.key("ArrowLeft")
        assert tree(opened) == ["invoke_agent travel_desk"]
        opened.key("ArrowRight")
        assert len(tree(opened)) == 6
        opened.key("Enter")
        assert opened.value("document.activeElement.id") == "span"
        opened.key("Escape")
        assert opened.value("document.activeElement.dataset.span")
        opened.key("Escape")
        opened.wait_for("!document.querySelector('#list').hidden")

    def test_turns(self, opened):
        """The other traces of the conversation are one step away."""
        assert "Turn 1 of 2" in opened.text("#turns")
        opened.click("#turns a")
        opened.wait_for("document.querySelector('#turns').innerText.includes('Turn 2 of 2')")
        opened.wait_for("document.querySelector('#span .message.user')?.innerText.includes('Thursday')")

    def test_media_and_reasoning(self, shown):
        """A picture is named and not loaded; reasoning is folded."""
        shown.click("#rows li:nth-child(5) a")
        shown.wait_for("document.querySelector('#span .media')")
        assert "not loaded" in shown.text("#span .media")
        assert shown.value("document.images.length") == 0
        shown.key("Escape")
        listed(shown, 6)
        shown.click("#rows li:nth-child(4) a")
        shown.wait_for("document.querySelector('#span .reasoning')")
        assert "the limit of 140" not in shown.text("#span")
        shown.click("#span .message summary")
        assert "the limit of 140" in shown.text("#span")

    def test_a_failure(self, shown):
        """An error is said with its kind and its message."""
        shown.click("#rows li:nth-child(3) a")
        shown.wait_for("document.querySelector('#span .failure')")

        assert "rate_limit_exceeded" in shown.text("#span .failure")
        assert shown.value("document.querySelector('#tree .badge.error').textContent") == "rate_limit_exceeded"

    def test_what_is_not_there(self, page, conversations):
        """A trace that was dropped is said to be gone."""
        page.open(f"{conversations.serving.url}#/t/{'0' * 32}")
        page.wait_for("document.querySelector('#title').textContent")

        assert page.text("#title") == "This trace is not there, or no longer"
        assert all("404" in problem for problem in page.problems)
        page.problems.clear()  # the browser's own line about the status


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("part", ["list", "trace"])
def test_sizes(page, conversations, width, part, dark):
    """Nothing is wider than the screen, no text is cut that nothing else shows, and all text is readable against its ground."""
    page.resize(width, 844)
    page.show_dark(dark)
    path = f"#/t/{conversations.traces()[0]['id']}" if part == "trace" else ""
    page.open(conversations.serving.url + path)
    page.wait_for("document.querySelector('#span h2')" if path else "document.querySelectorAll('#rows a').length === 6")

    assert page.value("document.documentElement.scrollWidth") == width
    assert page.value(OUTSIDE) == []
    assert page.value(PALE) == []


OUTSIDE = """[...document.querySelectorAll('main:not([hidden]) *')]
  .filter((one) => one.checkVisibility() && !one.closest('.away, .toggle input, datalist, option'))
  .map((one) => [one.className || one.tagName, one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.left < 0 || box.right > innerWidth + 0.5))
  .map(([name]) => name)"""
# The contrast of WCAG, AA: 4.5 for text.
PALE = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([red, green, blue]) => [red, green, blue].map((one) => one / 255).map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => { for (; one; one = one.parentElement) { const found = rgba(getComputedStyle(one).backgroundColor); if (found[3] > 200) return found; } return [255, 255, 255, 255]; };
  const pale = [];
  for (const one of document.querySelectorAll('main:not([hidden]) *')) {
    if (!one.checkVisibility() || one.closest('.turns > .quiet, .away') || ![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const [front, back] = [light(rgba(getComputedStyle(one).color)), light(ground(one))].sort((a, b) => b - a);
    const contrast = (front + 0.05) / (back + 0.05);
    if (contrast < 4.5) pale.push([one.className || one.tagName, one.textContent.slice(0, 20), contrast]);
  }
  return pale;
})()"""


class TestLive:
    """A page that is open while something arrives."""

    def test_from_nothing(self, view, page):
        """It says what to set; then a call appears by itself, and the part of a user stays as it is."""
        page.open(view.serving.url)
        page.wait_for("!document.querySelector('#empty').hidden")
        empty = page.text("#empty")
        assert all(f"export {name}={value}" in empty for name, value in view.serving.environment.items())
        exporting = Exporting(view)
        tracer = exporting.tracer_provider.get_tracer("a scope")
        for number in range(3):
            with tracer.start_as_current_span(f"GET {number}"):
                pass
        exporting.flush()
        page.wait_for("document.querySelector('#empty').innerText.includes('No call of a model yet')")
        page.click("#empty button")
        assert listed(page, 3) == ["GET 2", "GET 1", "GET 0"]
        page.key("ArrowDown")
        focused = page.value(f"{FOCUSED}.dataset.trace")
        with tracer.start_as_current_span("chat m", attributes={"gen_ai.operation.name": "chat"}):
            pass
        exporting.flush()
        assert listed(page, 4)[0] == "chat m"
        assert page.value(f"{FOCUSED}.dataset.trace") == focused
        exporting.close()

    def test_a_trace_that_grows(self, view, page):
        """The tree of an open trace gets the spans that end later."""
        exporting = Exporting(view)
        tracer = exporting.tracer_provider.get_tracer("a scope")
        with tracer.start_as_current_span("root", attributes={"gen_ai.operation.name": "invoke_agent"}):
            with tracer.start_as_current_span("one"):
                pass
            exporting.flush()
            page.open(f"{view.serving.url}#/t/{view.traces(everything=1)[0]['id']}")
            page.wait_for("document.querySelectorAll('#tree .label').length === 1")
            assert selected(page) == "one"
        exporting.flush()
        page.wait_for("document.querySelectorAll('#tree .label').length === 2")

        assert tree(page) == ["root", "one"]
        assert selected(page) == "one"
        exporting.close()

    def test_the_command_ends(self, page, tmp_path):
        """What is shown stays, with a sentence."""
        with viewing(tmp_path) as view:
            exporting = Exporting(view)
            with exporting.tracer_provider.get_tracer("s").start_as_current_span(
                "chat m", attributes={"gen_ai.operation.name": "chat"}
            ):
                pass
            exporting.close()
            page.open(view.serving.url)
            listed(page, 1)
        page.wait_for("!document.querySelector('#offline').hidden")

        assert rows(page) == ["chat m"]
        assert all("ERR_CONNECTION" in problem for problem in page.problems)
        page.problems.clear()  # the browser's own lines about the connection

    def test_the_command_was_started_again(self, page, tmp_path_factory):
        """On the same port it has another token: the page says to open the new address, and without any there is a sentence alone."""
        with viewing(tmp_path_factory.mktemp("first")) as view:
            port = view.serving.page
            page.open(view.serving.url)
            page.wait_for("document.querySelector('#live.on')")
        page.wait_for("!document.querySelector('#offline').hidden")
        assert page.text("#offline") == "The command has stopped, or cannot be reached. What is here stays."
        with viewing(tmp_path_factory.mktemp("second"), page=port):
            page.wait_for("document.querySelector('#offline').textContent.startsWith('The command was started again')")
            page.open(f"http://127.0.0.1:{port}/")
            assert page.text().startswith("The address of this page has a token")
        assert all("403" in problem or "ERR_CONNECTION" in problem for problem in page.problems)
        page.problems.clear()  # the browser's own lines about the status and the connection

    def test_what_is_not_kept(self, page, tmp_path):
        """A trace that is larger than the bound is cut, and the page says so."""
        with viewing(tmp_path, keep=3) as view:
            exporting = Exporting(view)
            tracer = exporting.tracer_provider.get_tracer("s")
            with tracer.start_as_current_span("root", attributes={"gen_ai.operation.name": "invoke_agent"}):
                for _ in range(4):
                    with tracer.start_as_current_span("chat m", attributes={"gen_ai.operation.name": "chat"}):
                        pass
            exporting.close()
            page.open(view.serving.url)
            listed(page, 1)
            page.wait_for("document.querySelector('#live').textContent === '1 trace, 2 spans not kept'")
            page.close()

    def test_older_ones(self, view, page):
        """The list goes on where it ended, and stays as long as something arrives."""
        exporting = Exporting(view)
        tracer = exporting.tracer_provider.get_tracer("a scope")
        for number in range(120):
            with tracer.start_as_current_span(f"chat {number}", attributes={"gen_ai.operation.name": "chat"}):
                pass
        exporting.close()
        page.open(view.serving.url)
        listed(page, 50)
        page.click("#more button")
        listed(page, 100)
        page.click("#more button")

        assert listed(page, 120) == [f"chat {number}" for number in reversed(range(120))]
        assert page.value("document.querySelector('#more').hidden")


class TestHostile:
    """Content that wants to be more than text."""

    def test_it_does_nothing(self, view, page):
        """Markup, scripts, escapes and marks of direction stand there as text, wherever they come from."""
        parts = [
            {
                "type": kind,
                "content": HOSTILE,
                "name": HOSTILE,
                "id": HOSTILE,
                "arguments": HOSTILE,
                "response": HOSTILE,
            }
            for kind in ("text", "reasoning", "tool_call", "tool_call_response", HOSTILE)
        ]
        media = [{"type": "uri", "uri": "javascript:window.hit=1", "modality": HOSTILE}]
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": HOSTILE[:250],
            "gen_ai.request.model": HOSTILE[:250],
            "gen_ai.conversation.id": HOSTILE[:250],
            "error.type": HOSTILE,
            "gen_ai.input.messages": json.dumps(
                [{"role": HOSTILE, "parts": parts}, {"role": "user", "parts": parts + media}]
            ),
            "gen_ai.tool.definitions": json.dumps([{"name": HOSTILE, "description": HOSTILE, "parameters": HOSTILE}]),
            "gen_ai.tool.call.arguments": HOSTILE,
            HOSTILE: HOSTILE,
        }
        exporting = Exporting(view, service=HOSTILE)
        for _ in range(2):
            tracer = exporting.tracer_provider.get_tracer(HOSTILE)
            with tracer.start_as_current_span(HOSTILE, attributes=attributes) as span:
                span.add_event(HOSTILE, {HOSTILE: HOSTILE})
                span.set_status(Status(StatusCode.ERROR, HOSTILE))
        exporting.close()
        page.open(view.serving.url)
        listed(page, 2)
        page.click("#rows a")
        page.wait_for("document.querySelector('#span h2')")
        page.value("[...document.querySelectorAll('details')].forEach((one) => { one.open = true })")
        text = page.text("#span")

        assert page.value("window.hit ?? null") is None
        assert page.value("document.querySelectorAll('#span :is(script, img, svg, style, iframe, form)').length") == 0
        assert page.value("[...document.querySelectorAll('#span a')].map((one) => one.protocol)") == []
        assert text.count("<script>window.hit = 1</script><img") > 15
        assert SHOWN in text
        assert not any(character in text for character in "\x1b\x07\u202e")
        page.key("Escape")
        listed(page, 2)
        page.click("#tag")
        page.type(f"{HOSTILE[:60]}=x")
        page.key("Enter")
        page.wait_for("document.querySelector('.chip')")
        assert page.value("window.hit ?? null") is None

    @pytest.mark.parametrize(
        "made",
        [
            "document.body.innerHTML = '<b>x</b>'",
            "document.createElement('script').text = 'window.hit = 1'",
            "eval('1')",
        ],
    )
    def test_the_policy(self, page, conversations, made):
        """Even a mistake of the page's own scripts could make neither markup nor a script out of a text."""
        page.open(conversations.serving.url)
        listed(page, 6)
        refused = page.value(f"(() => {{ try {{ {made}; return 'taken' }} catch (error) {{ return error.name }} }})()")

        assert refused in ("TypeError", "EvalError")
        page.value("new Promise((done) => setTimeout(done, 100))")
        page.problems.clear()  # the browser's own line about the policy

    def test_a_megabyte(self, view, page):
        """A message of a megabyte begins, is whole on request, and does not keep the page from answering."""
        text = "<b>" * 350_000 + " the end"
        content = json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}])
        exporting = Exporting(view)
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": content}
        with exporting.tracer_provider.get_tracer("s").start_as_current_span("chat m", attributes=attributes):
            pass
        exporting.close()
        page.open(view.serving.url)
        listed(page, 1)
        page.click("#rows a")
        page.wait_for("document.querySelector('#span .whole')")
        assert len(page.text("#span .message .text")) == 3001
        page.click("#span .whole")
        page.wait_for("!document.querySelector('#span .whole')")

        assert page.value("document.querySelector('#span .message .text').textContent") == text
        page.key("Escape")
        page.key("Escape")
        page.wait_for("!document.querySelector('#list').hidden")
