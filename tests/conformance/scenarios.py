"""What happens to a component, and what has to come back: data, the same for every host.

A Scenario is a page with one component on it and the requests that follow. A Step is one request as it stands on
the wire, and what WIRE.md promises about its answer. The rest of each answer is held by the goldens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

HOUR = 60 * 60
DAY = 24 * HOUR


@dataclass(frozen=True)
class Step:
    """One request. The token and the id of the component `to` (the page's root, if "") go along unless `bare`."""

    event: str = ""
    body: str = ""
    json: Mapping[str, Any] | None = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    to: str = ""
    user: str = ""
    stream: bool = False
    accept: str = "text/html"
    bare: bool = False
    fallback: bool = False
    """Without script: the token and the id as fields of the form."""
    later: int = 0
    """Seconds that pass before this request."""

    status: int = 200
    code: str = ""
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    effects: Mapping[str, str] = field(default_factory=dict)
    """Response headers that begin with HX-, all of them; only asked of answers without a code."""


@dataclass(frozen=True)
class Scenario:
    title: str
    component: str
    steps: tuple[Step, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    user: str = ""
    page: Literal["now", "earlier", "none"] = "now"
    """Who rendered the page: this release, an earlier one, or nobody (every step is then a first contact)."""


SSE = "text/html, text/event-stream"

SCENARIOS = (
    # -- one event after another ------------------------------------------------------------------------------------
    Scenario(
        "the specification's counter counts, its event in the body",
        "counter",
        (
            Step(body="event=increment", has=("Count: 1", '<div id="counter" data-component="counter"')),
            Step(body="event=increment", has=("Count: 2",)),
            Step(event="increment", has=("Count: 3", 'data-version="4"')),
        ),
    ),
    Scenario(
        "an argument is typed by the handler's signature, and falls back to its default",
        "tally",
        (
            Step("add", "by=2", has=("<b>2</b>",)),
            Step("add", has=("<b>3</b>",)),
            Step("add", "by=-3", has=("<b>0</b>",)),
        ),
    ),
    Scenario("a state of nothing but falsy values is not mounted again", "tally", (
        Step("clear", has=("<b>0</b>",)),
        Step("add", has=("<b>1</b>",)),
        Step("clear", has=("<b>0</b>",)),
        Step(has=("<b>0</b>",)),
    ), params={"count": 40}),
    Scenario("no event is a render", "tally", (Step(has=("<b>40</b>",)),), params={"count": 40}),
    Scenario("a coroutine handler gives the same", "async_tally", (
        Step("add", "by=2", has=("<b>2</b>",)),
        Step("add", "by=x", status=422, code="invalid", has=("Enter a whole number.", "<b>2</b>")),
        Step("remark", "note=caf%C3%A9", has=("<i>café</i>",)),
    )),
    Scenario("None goes out as nothing and comes back as None", "tally", (
        Step("remark", "note=", has=("<i>None</i>",)),
        Step("remark", "note=+", has=("<i>None</i>",)),
        Step("remark", "note=0", has=("<i>0</i>",)),
    )),
    # -- first contact ------------------------------------------------------------------------------------------------
    Scenario("neither id nor token mounts, and handles the event", "tally", (
        Step("add", "by=2", bare=True, has=("<b>2</b>",)),
        Step("add", "by=2", has=("<b>4</b>",)),
    ), page="none"),
    Scenario("a visitor chooses public params only", "greeting", (
        Step(query="name=Ada", bare=True, has=("Hello Ada, order 0",)),
        Step(query="order=7", bare=True, status=422, code="invalid", lacks=("order 7",)),
        Step(json={"params": {"name": "Ada"}}, bare=True, has=("Hello Ada",)),
        Step(json={"params": {"name": 3}}, bare=True, status=422, code="invalid"),
        Step(json={"params": {"order": 7}}, bare=True, status=422, code="invalid"),
        Step(json={"params": {"component_id": "x"}}, bare=True, status=422, code="invalid"),
    ), page="none"),
    Scenario("the page's params travel in the token, and cannot be swapped later", "greeting", (
        Step("shout", query="order=7", has=("HELLO YOU, ORDER 4711 4711",)),
        Step("shout", query="name=Eve", has=("HELLO YOU",), lacks=("Eve",)),
    ), params={"order": 4711}),
    Scenario("a page without script sends id and token as fields", "tally", (
        Step("add", "by=2", fallback=True, has=("<b>2</b>",)),
        Step("add", "by=2&csrfmiddlewaretoken=cccccccccccccccccccccccccccccccc", fallback=True, has=("<b>4</b>",)),
    )),
    # -- invalid payloads ---------------------------------------------------------------------------------------------
    Scenario("what does not fit is told per field, and nothing is changed", "profile", (
        Step("save", "name=Ada&age=36&news=on", has=('value="Ada"', 'value="36"', "checked"),
             effects={"hx-trigger": '{"saved":{"name":"Ada"}}'}),
        Step("save", "name=&age=-1", status=422, code="invalid",
             has=("This field is required.", "Must be at least 0.", 'value="Ada"', "checked")),
        Step("save", "age=1", status=422, code="invalid", has=("This field is required.",)),
        Step("save", "name=Bob&age=1&role=admin", status=422, code="invalid", has=('value="Ada"',)),
        Step("save", "name=Bob&name=Eve&age=1", status=422, code="invalid", has=("sent more than once",)),
        Step("save", "name=Bob&age=1", has=('value="Bob"',), lacks=("checked",),
             effects={"hx-trigger": '{"saved":{"name":"Bob"}}'}),
    )),
    Scenario("a handler that refuses a value leaves the state as it was", "profile", (
        Step("save", "name=Ada&age=36", has=('value="Ada"',), effects={"hx-trigger": '{"saved":{"name":"Ada"}}'}),
        Step("save", "name=root&age=1", status=422, code="invalid", has=("This name is taken.", 'value="Ada"'),
             lacks=('value="root"',)),
        Step(has=('value="Ada"', 'value="36"')),
    )),
    Scenario("the JSON envelope is strict about types", "profile", (
        Step(json={"event": "save", "payload": {"name": "Ada", "age": 36}}, has=('"errors":{}', '"component_id":"c-1"')),
        Step(json={"event": "save", "payload": {"name": "Bob", "age": "36"}}, status=422, code="invalid", has=('"errors":{"age":["Enter a whole number."]}',)),
        Step(json={"event": "save", "payload": {"name": "Bob", "age": True}}, status=422, code="invalid", has=('"age"',)),
        Step(json={"event": "save", "payload": {"name": "Bob", "age": 1.5}}, status=422, code="invalid", has=('"age"',)),
        Step(json={"event": "save", "payload": {"name": None, "age": 1}}, status=422, code="invalid", has=('"name"',)),
        Step(json={"event": "save", "payload": {"name": "root", "age": 1}}, status=422, code="invalid", has=("This name is taken.",)),
        Step(json={}, has=('value=\\"Ada\\"', 'value=\\"36\\"')),
    )),
    # -- types --------------------------------------------------------------------------------------------------------
    Scenario("every type survives the round trip", "sheet", (
        Step("touch", has=(
            "<dt>nothing</dt><dd>None</dd>", "<dt>empty</dt><dd>&#39;&#39;</dd>", "<dt>zero</dt><dd>0</dd>",
            "<dt>no</dt><dd>False</dd>", "<dt>ratio</dt><dd>0.0</dd>", "datetime.date(2024, 2, 29)",
            "datetime.datetime(2024, 2, 29, 12, 30, 15)", "Decimal(&#39;0.10&#39;)", "Colour.RED",
            "UUID(&#39;00000000-0000-0000-0000-000000000007&#39;)", "Line(sku=&#39;tea&#39;", "<dt>tags</dt><dd>set()</dd>",
        )),
        Step("fill", has=("Decimal(&#39;12345678901234567890.00&#39;)",)),
        Step("touch", has=(
            "datetime.date(1999, 12, 31)", "Decimal(&#39;12345678901234567890.00&#39;)", "Colour.BLUE",
            "<dt>line</dt><dd>Line(sku=&#39;coffee&#39;, price=Decimal(&#39;2&#39;), due=datetime.date(2025, 1, 1))</dd>",
            "Line(sku=&#39;milk&#39;, price=Decimal(&#39;0&#39;), due=None)]",
            "<dt>days</dt><dd>[datetime.date(1999, 12, 31), datetime.date(2000, 1, 1)]</dd>",
            "{&#39;a&#39;: Decimal(&#39;0.1&#39;), &#39;&#39;: Decimal(&#39;2&#39;)}", "<dt>tags</dt><dd>{&#39;x&#39;}</dd>",
            "<dt>free</dt><dd>{&#39;list&#39;: [1, None, False, &#39;é&#39;]}</dd>",
        )),
    )),
    Scenario("a form spells typed arguments as text", "sheet", (
        Step("set", "day=2024-12-24&moment=2024-12-24T18:00&price=9.90&colour=blue"
             "&key=00000000-0000-0000-0000-000000000009&line=%7B%22sku%22%3A%22a%22%2C%22price%22%3A%221%22%7D"
             "&days=2024-01-01&days=2024-01-02&prices=%7B%22a%22%3A%221.5%22%7D&ratio=.5&no=on&nothing=",
             has=("datetime.date(2024, 12, 24)", "datetime.datetime(2024, 12, 24, 18, 0)", "Colour.BLUE",
                  "Line(sku=&#39;a&#39;, price=Decimal(&#39;1&#39;), due=None)", "<dt>no</dt><dd>True</dd>",
                  "[datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)]", "<dt>nothing</dt><dd>None</dd>")),
        Step("set", "day=24.12.2024&moment=now&price=dear&colour=green&key=1&line=tea&days=x&prices=%5B%5D&ratio=nan&no=maybe",
             status=422, code="invalid",
             has=tuple(f"&#39;{name}&#39;" for name in ("day", "moment", "price", "colour", "key", "line", "days", "prices", "no"))),
    )),
    # -- effects ------------------------------------------------------------------------------------------------------
    Scenario("effects are headers", "signal", (
        Step("tell", "text=hi", has=("sent 1",), effects={"hx-trigger": '{"told":{"text":"hi"}}'}),
        Step("tell_twice", effects={"hx-trigger": '{"first":{"n":1},"second":{"n":2}}'}),
        Step("push", "url=/orders?page=2", effects={"hx-push-url": "/orders?page=2"}),
        Step("replace", "url=/orders/%C3%A9", effects={"hx-replace-url": "/orders/%C3%A9"}),
        Step("leave", "url=/there", effects={"hx-redirect": "/there"}),
        Step("leave_site", effects={"hx-redirect": "https://example.org/there?a=1"}),
        Step(has=("sent 1",)),
    )),
    Scenario("text in an effect cannot become a header or markup", "signal", (
        Step("tell", "text=a%0D%0ASet-Cookie:%20a=1%0A%C4%8D%C4%8A%F0%9F%98%80%22%3Cb%3E",
             effects={"hx-trigger": r'{"told":{"text":"a\r\nSet-Cookie: a=1\n\u010d\u010a\ud83d\ude00\"<b>"}}'}),
    )),
    Scenario("effects in the JSON envelope", "signal", (
        Step(json={"event": "tell", "payload": {"text": "hi"}}, has=('"effects":[{"emit":"told","detail":{"text":"hi"}}]',)),
        Step(json={"event": "leave", "payload": {"url": "/there"}}, has=('"effects":[{"redirect":"/there"}]',)),
    )),
    Scenario("another component is updated in the same answer", "signal", (
        Step("point", "count=7", has=('<hx-partial hx-target="#elsewhere" hx-swap="outerMorph"><section id="elsewhere"', "<b>7</b>")),
        Step("add", to="elsewhere", body="by=1", has=("<b>8</b>",)),
        Step("point", "count=9", has=("<b>9</b>",)),
        Step(json={"event": "point", "payload": {"count": 3}}, has=('{"update":"elsewhere","html":"<section',)),
    )),
    Scenario("an id with dots and colons is escaped where it is a selector", "signal", (
        Step("aim", "target=row.1:a&count=7", has=(r'hx-target="#row\.1\:a"', '<section id="row.1:a"')),
        Step("add", to="row.1:a", body="by=1", has=("<b>8</b>",)),
    )),
    # -- nested components --------------------------------------------------------------------------------------------
    Scenario("a child that is on the page is kept, a new one is mounted", "family", (
        Step("hear", has=('<p id="c-1-ann" hx-preserve></p>', '<p id="c-1-bob" hx-preserve></p>', "<b>1</b>"),
             lacks=("<i>ann</i>",)),
        Step("adopt", "name=eve", has=('<p id="c-1-ann" hx-preserve></p>', 'id="c-1-eve" data-component="member"', "<i>eve</i>")),
        Step("vote", to="c-1-eve", has=("<i>eve</i> 1",), effects={"hx-trigger": '{"voted":{"name":"eve"}}'}),
        Step("hear", has=('<p id="c-1-eve" hx-preserve></p>', "<b>2</b>")),
        Step("vote", to="c-1-eve", has=("<i>eve</i> 2",), effects={"hx-trigger": '{"voted":{"name":"eve"}}'}),
        Step("release", "name=ann", lacks=("c-1-ann",), has=('<p id="c-1-bob" hx-preserve></p>',)),
        Step("adopt", "name=ann", has=("<i>ann</i> 0",)),
    )),
    Scenario("a key that a visitor chose stays text", "family", (
        Step("adopt", "name=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", has=("&lt;script&gt;",), lacks=("<script>",)),
        Step("adopt", "name=a+b.c", has=("<i>a b.c</i>",), lacks=('id="c-1-a b.c"',)),
        Step("hear", has=('<p id="c-1-ann" hx-preserve></p>',), lacks=("<script>", "<i>")),
    )),
    Scenario("a fresh render after a lost state brings the children, too", "family", (
        Step("hear", to="c-1", headers={"x-component-state": ""}, status=409, code="state_required",
             has=("<i>ann</i>", "<i>bob</i>", "<b>0</b>", '<div hx-post="/components/family?event=hear"')),
    )),
    # -- streams ------------------------------------------------------------------------------------------------------
    Scenario("a generator shows each yield to whoever takes a stream", "countdown", (
        Step("start", "count=2", accept=SSE, has=("<b>2</b>", "<b>1</b>", "<b>0</b>", 'event: almost\ndata: {"left":1}',
             "event: component:done\ndata: {\"version\":4}", "id: 2\n", "id: 3\n", "id: 4\n")),
        Step("start", "count=1", has=("<b>0</b>",), lacks=("<b>1</b>", "data:"), effects={"hx-trigger": '{"almost":{"left":1}}'}),
        Step("start", "count=0", accept=SSE, has=("<b>0</b>", "component:done")),
    )),
    Scenario("an async generator gives the same", "async_countdown", (
        Step("start", "count=2", accept=SSE, has=("<b>2</b>", "<b>1</b>", "<b>0</b>", "component:done")),
        Step("start", "count=1", has=("<b>0</b>",), lacks=("data:",)),
        Step("break", accept=SSE, has=("<b>7</b>", "event: component:error", '"code":"failed"'), lacks=("canary",)),
        Step("jump", has=("<b>100</b>",)),
    )),
    Scenario("the stream address streams plain handlers, too", "countdown", (
        Step("jump", stream=True, has=("<b>100</b>", "component:done")),
        Step("jump", accept=SSE, has=("<b>100</b>",), lacks=("data:",)),
        Step("start", "count=x", stream=True, status=422, code="invalid", has=("<b>100</b>",)),
        Step("nothing", stream=True, status=404, code="unknown"),
        Step(stream=True, has=("<b>100</b>", "component:done")),
    )),
    Scenario("a stream of the JSON envelope", "countdown", (
        Step(json={"event": "start", "payload": {"count": 1}}, stream=True,
             has=('"stream_done":false', '"stream_done":true', '{"emit":"almost","detail":{"left":1}}')),
        Step(json={"event": "start", "payload": {"count": "x"}}, stream=True, status=422, code="invalid", has=('"errors":{"count"',)),
    )),
    Scenario("a stream that fails on the way says so and ends; the state is the last one shown", "countdown", (
        Step("break", accept=SSE, has=("<b>7</b>", "event: component:error", '"code":"failed"', "component:done"), lacks=("canary",)),
        Step(has=("<b>7</b>",)),
        Step(json={"event": "break"}, stream=True, has=('"code":"failed"', '"stream_done":true'), lacks=("canary",)),
    )),
    Scenario("a stream that is refused before its first frame has its status", "countdown", (
        Step("refuse", accept=SSE, status=422, code="invalid", has=("<b>0</b>",)),
        Step("refuse", stream=True, status=422, code="invalid"),
    )),
    # -- refusals -----------------------------------------------------------------------------------------------------
    Scenario("an unknown component and an unknown event look alike", "tally", (
        Step("explode", status=404, code="unknown", effects={}),
        Step("explode", to="nowhere", status=404, code="unknown"),
        Step(json={"event": "explode"}, status=404, code="unknown", has=('"code":"unknown"',)),
        Step("add", has=("<b>1</b>",)),
    )),
    Scenario("who is not logged in is sent to log in", "vault", (
        Step("open", status=401, code="unauthenticated", bare=True, has=("Please log in.",)),
        Step(status=401, code="unauthenticated", bare=True),
        Step(json={"event": "open"}, status=401, code="unauthenticated", bare=True, has=('"code":"unauthenticated"',)),
    ), page="none"),
    Scenario("who may look may not touch", "vault", (
        Step(user="guest", has=("opened 0 times",)),
        Step("open", user="guest", status=403, code="forbidden"),
        Step(json={"event": "open"}, user="guest", status=403, code="forbidden"),
        Step("open", stream=True, user="guest", status=403, code="forbidden"),
    ), user="guest"),
    Scenario("the keeper may, and a token is good for its visitor only", "vault", (
        Step("open", user="keeper", has=("opened 1 times",)),
        Step("open", user="guest", status=400, code="state_invalid"),
        Step("open", user="", status=400, code="state_invalid"),
        Step("open", user="keeper", has=("opened 2 times",)),
    ), user="keeper"),
    Scenario("a page of another site does nothing", "tally", (
        Step("add", headers={"sec-fetch-site": "cross-site"}, status=403, code="forbidden"),
        Step("add", headers={"origin": "https://evil.example"}, status=403, code="forbidden"),
        Step("add", headers={"origin": "null"}, status=403, code="forbidden"),
        Step("add", headers={"sec-fetch-site": "same-origin"}, has=("<b>1</b>",)),
    )),
    Scenario("a token that is edited is refused", "tally", (
        Step("add", headers={"x-component-state": "nonsense"}, status=400, code="state_invalid"),
        Step("add", headers={"x-component-id": "c-2"}, status=400, code="state_invalid"),
        Step("add", has=("<b>1</b>",)),
    )),
    Scenario("an id without its state is answered with a fresh render, and the event does not run", "tally", (
        Step("add", headers={"x-component-state": ""}, status=409, code="state_required", has=('id="c-1"', "<b>0</b>")),
        Step(json={"event": "add", "component_id": "c-1"}, bare=True, status=409, code="state_required",
             has=('"code":"state_required"', '"component_id":"c-1"', "<b>0</b>")),
        Step("add", has=("<b>1</b>",)),
    )),
    Scenario("a token that is too old is answered with a fresh render under the page's params", "tally", (
        Step("add", later=23 * HOUR, has=("<b>41</b>",)),
        Step("add", later=25 * HOUR, status=409, code="state_expired", has=('id="c-1"', "<b>40</b>")),
        Step("add", has=("<b>41</b>",)),
        Step(json={"event": "add"}, later=25 * HOUR, status=409, code="state_expired", has=('"code":"state_expired"', "<b>40</b>")),
    ), params={"count": 40}),
    Scenario("migrate() takes over what an earlier release wrote", "account", (
        Step("swap", has=("<b>Hopper</b> <i>Grace</i>",)),
        Step("swap", has=("<b>Grace</b> <i>Hopper</i>",)),
    ), page="earlier"),
    Scenario("without migrate() an earlier state is answered with a fresh render", "archive", (
        Step("swap", status=409, code="state_outdated", has=("<b>new</b>",)),
        Step("swap", has=("<i>new</i>",)),
    ), page="earlier"),
    Scenario("what is too large is not read", "fragile", (
        Step("write", "text=" + "x" * (800 * 1024), status=413, code="too_large"),
        Step("write", "&".join(f"a{n}=1" for n in range(60)), status=413, code="too_large"),
        Step("write", "&".join("text=1" for _ in range(300)), status=413, code="too_large"),
        Step("swell", f"size={600 * 1024}", status=413, code="too_large"),
        Step(has=("whole",)),
    )),
    Scenario("a body that is not what it says", "fragile", (
        Step("write", "text=1", headers={"content-type": "text/plain"}, status=415, code="unsupported"),
        Step("write", "text=%FF", status=400, code="malformed"),
        Step("write", "{", headers={"content-type": "application/json"}, status=415, code="unsupported"),
        Step("write", "text=ok", has=(">ok<",)),
    )),
    Scenario("a handler that raises changes nothing and tells nothing", "fragile", (
        Step("drop", status=500, code="failed", lacks=("canary", "RuntimeError", "Traceback")),
        Step("mistype", status=500, code="failed", lacks=("canary", "ValueError")),
        Step("confuse", status=500, code="failed", lacks=("Fragile",)),
        Step("crack", status=500, code="failed", lacks=("Undefined", "such")),
        Step("drop", stream=True, status=500, code="failed"),
        Step(json={"event": "drop"}, status=500, code="failed", has=('"code":"failed"',), lacks=("canary",)),
        Step("write", "text=still+whole", has=(">still whole<",)),
    )),
    # -- what is provided ---------------------------------------------------------------------------------------------
    Scenario("what a handler is provided with is open for one call, and never comes from the payload", "till", (
        Step("take", "amount=2", user="ada", has=(">ada takes 2 of 1<",)),
        Step("take", "amount=2&drawer=mine", user="ada", status=422, code="invalid"),
        Step("take", "amount=2&user=eve", user="ada", status=422, code="invalid"),
        Step(
            json={"event": "take", "payload": {"amount": 2, "drawer": {}, "user": {"name": "eve"}}},
            user="ada", status=422, code="invalid",
        ),
        Step("spoil", user="ada", status=500, code="failed", lacks=("canary",)),
        Step("count", user="ada", accept=SSE, has=("1 of 1", "2 of 1", "component:done")),
        Step("take", "amount=3", user="ada", has=(">ada takes 3 of 1<",)),
    ), user="ada"),
    # -- text stays text ----------------------------------------------------------------------------------------------
    Scenario("markup, quotes and line breaks in a field stay text", "fragile", (
        Step("write", "text=%3Cscript%3Ealert(1)%3C/script%3E%22%27%26", has=("&lt;script&gt;", "&#34;&#39;&amp;"), lacks=("<script>",)),
        Step("write", "text=%7B%7B+7*7+%7D%7D", has=("{{ 7*7 }}",)),
        Step("write", "text=a%0D%0Ab%0Adata:%20x%E2%80%A8", stream=True, has=("component:done",), lacks=("\ndata:%20x",)),
        Step("write", "text=%3C!--component-state--%3E%3Ccomponent-slot%20id=%220%22%3E", lacks=("<component-slot", "_state")),
    )),
    # -- forms -------------------------------------------------------------------------------------------------------
    Scenario("a form is valid before its handler runs, and begins anew after it", "sign_up", (
        Step("submit", status=422, code="invalid", has=('aria-invalid="true"', "autofocus", "This field is required."), lacks=("Ada",)),
        Step("submit", "name=Eve&password=x&terms=on", status=422, code="invalid", has=("There is an Eve already.", 'value="Eve"')),
        Step(
            "submit", "name=Ada&password=x&terms=on&born=1815-12-10&share=1,5&mood=wild&lines=4&lines-4-what=Pen&lines-4-amount=2",
            has=("<p>Ada 1815-12-10 1.5 wild [2]</p>", "-f1-name"), lacks=('value="Ada"',),
        ),
    )),
    Scenario("every wrong field of a form is told at once, and what was typed stays but for passwords", "sign_up", (
        Step(
            "submit", "name=" + "A" * 21 + "&password=canary-word&born=soon&share=much&mood=odd&lines=0&lines-0-amount=0&spy=1", status=422, code="invalid",
            has=(
                "Must be at most 20 long.", "Enter a date.", "Enter a number.", "Choose one of the options.", "Must be at least 1.",
                "spy: This field is not expected here.", 'value="soon"', 'value="much"',
            ),
            lacks=("canary-word",),
        ),
    )),
    Scenario("a field is checked when it is left, and only those that were show what is wrong", "sign_up", (
        Step("validate", "_field=born&born=soon&name=", has=("Enter a date.", 'value="soon"'), lacks=("This field is required.",)),
        Step("validate", "_field=name&born=1815-12-10&name=", has=("This field is required.",), lacks=("Enter a date.",)),
        Step("tick", has=("hx-preserve", "<button", ">1<"), lacks=("This field is required.",)),
    )),
    Scenario("rows of a form are added, moved and removed with what is in them", "sign_up", (
        Step("add_row", "_rows=lines&name=Ada", has=('name="lines" value="0"', 'name="lines-0-what"', 'value="Ada"')),
        Step("add_row", "_rows=lines&lines=0&lines-0-what=Pen", has=('name="lines" value="1"', 'value="Pen"')),
        Step("move_row", "_rows=lines&_row=1&_by=-1&lines=0&lines=1&lines-0-what=Pen&lines-1-what=Ink", has=('value="Ink"',)),
        Step("remove_row", "_rows=lines&_row=0&lines=1&lines=0&lines-0-what=Pen&lines-1-what=Ink", lacks=('value="Pen"',)),
        Step("remove_row", "_rows=lines&_row=9&lines=1", status=422, code="invalid", has=("There is no such row.",)),
        Step("add_row", "_rows=name", status=422, code="invalid", has=("There is no such list.",)),
    )),
    Scenario("a program's form is as strict as any payload", "sign_up", (
        Step(json={"event": "submit", "payload": {"name": "Ada", "password": "x", "terms": True, "lines": [{"what": "Pen"}]}}, has=("Ada None None calm [1]",)),
        Step(json={"event": "submit", "payload": {"name": 1, "password": "x", "terms": "on", "lines": [{"amount": True}]}}, status=422, code="invalid", has=(
            '"name":["Enter text."]', '"terms":["Choose yes or no."]', '"lines-0-what":["This field is required."]',
            '"lines-0-amount":["Enter a whole number."]',
        )),
    )),
    Scenario("a form with a file asks for it, and takes nothing else for one", "badge", (
        Step("submit", "name=Ada", status=422, code="invalid", has=(
            "This field is required.", 'value="Ada"', 'aria-invalid="true"', 'enctype="multipart/form-data"',
            'type="file" id="c-1-f0-photo" name="photo" required="required" accept="image/png"',
            'name="papers" accept="text/*" multiple="multiple"', 'hx-encoding="application/x-www-form-urlencoded"',
        )),
        Step("submit", "name=Ada&photo=a.png&papers=b", status=422, code="invalid", has=("Choose a file.",), lacks=("a.png",)),
        Step("validate", "_field=name&name=&photo=%5Bobject+File%5D", has=("This field is required.", "Choose a file."), lacks=("object File",)),
        Step("validate", "_field=photo&name=Ada&photo=%5Bobject+File%5D&papers=%5Bobject+File%5D", lacks=("This field is required.", "object File")),
        Step(json={"event": "submit", "payload": {"name": "Ada", "photo": "a.png", "papers": [1]}}, status=422, code="invalid", has=(
            '"photo":["Choose a file."]', '"papers":["Choose a file."]',
        )),
    )),
    Scenario("a wizard keeps its steps, and its end runs when all of them are valid", "tour", (
        Step("submit", "city=", status=422, code="invalid", has=("<h2>stop</h2>", "This field is required.")),
        Step("submit", "city=Utrecht", has=("<h2>person</h2>", "Finish")),
        Step("back", "name=Ada", has=("<h2>stop</h2>", 'value="Utrecht"')),
        Step("submit", "city=Breda", has=("<h2>person</h2>", 'value="Ada"')),
        Step("submit", "name=Ada&password=x&terms=on", has=("<p>Breda Ada</p>",)),
    )),
    # -- rows --------------------------------------------------------------------------------------------------------
    Scenario("a row's form shows the row, tells what is wrong, and saves what changed", "book", (
        Step("save", "title=&pages=x", user="ada", status=422, code="invalid", has=(
            "This field is required.", "Enter a whole number.", 'aria-invalid="true"', "autofocus", 'value="x"', "As on its cover.", "<p>12 </p>",
        )),
        Step("validate", "_field=pages&title=Emma&pages=y", user="ada", has=("Enter a whole number.",)),
        Step("save", "title=Persuasion&pages=&lent=on", user="ada", has=('value="Persuasion"', "checked"), lacks=('value="474"',)),
        Step("save", "title=Persuasion&pages=249", user="ada", has=('value="249"',), lacks=("checked",)),
    ), params={"pk": 1}, user="ada"),
    Scenario("who comes too late is shown both values and overwrites nothing", "book", (
        Step("others", "title=Theirs", user="ada", lacks=("Theirs",)),
        Step("save", "title=Mine&pages=5", user="ada", status=409, code="conflict", has=('value="Mine"', "In the meantime this became: Theirs")),
        Step(user="ada", has=("hx-preserve", "<p>12 title pages</p>")),
        Step("save", "title=Mine&pages=5", user="ada", has=('value="Mine"',)),
    ), params={"pk": 2}, user="ada"),
    Scenario("a program saves a row with the types of its columns", "book", (
        Step(json={"event": "save", "payload": {"title": "Emma", "pages": 3, "lent": True}}, user="ada", has=('"errors":{}',)),
        Step(json={"event": "save", "payload": {"title": 3, "pages": "3", "lent": "on"}}, user="ada", status=422, code="invalid", has=(
            '"title":["Enter text."]', '"pages":["Enter a whole number."]', '"lent":["Choose yes or no."]',
        )),
    ), params={"pk": 3}, user="ada"),
    Scenario("a row that is gone is not found, and that of somebody else never was there", "book", (
        Step("save", "title=x", user="eve", status=400, code="state_invalid"),
        Step("burn", user="ada", has=("hx-preserve",)),
        Step("save", "title=x", user="ada", status=404, code="unknown"),
    ), params={"pk": 4}, user="ada"),
    Scenario("an input assigns the bound field of its name, and no other field", "filter", (
        Step("show", "words=pens&page=2", has=("<b>pens 2 7</b>",)),
        Step("show", "words=much+too+long&page=x&total=1", status=422, code="invalid", has=("<b>pens 2 7</b>",)),
        Step(json={"event": "show", "payload": {"page": True}}, status=422, code="invalid", has=('"page":["Enter a whole number."]',)),
        Step("show", has=("<b>pens 2 7</b>",)),
    )),
)  # fmt: skip
