"""The token engine element by element, from drawings: what is read, what happens, what then is open."""

import pytest

from tests.workflows.drawings import Play, duration, end, event, flows, person, start, sub, task, xml
from workflows.plan import (
    Assign,
    CallWorkflow,
    CancelCall,
    CancelStep,
    EndRun,
    EventCaught,
    Gathered,
    GatherOutputs,
    IncidentResolved,
    OpenStep,
    RaiseIncident,
    RunCancelled,
    Send,
    StaleHappening,
    StartTimer,
    StepEscalated,
    StepFailed,
    StepFinished,
    Subscribe,
    TaskChosen,
    TellEscalation,
    TokenMoved,
    Unsubscribe,
    VariablesChanged,
    migrate,
    read_bpmn,
)
from workflows.plan.marking import Line

S, A, B, E = start(), task("a"), task("b"), end()


def inside(name: str = "a", letter: str = "i", ways: str = "") -> str:
    """The body of a sub-process with one task."""
    body = start(name=f"{letter}s") + task(name) + end(f"{letter}e")
    return body + flows(ways or f"{letter}s -> {name}\n{name} -> {letter}e")


# sub-processes


def test_a_sub_process_is_done_when_everything_inside_is():
    play = Play(xml(S + sub("p", inside()) + B + E, "s -> p\np -> b\nb -> e"))
    assert play.open == ["p", "a"]

    play.finish("a")
    assert play.open == ["b"]
    assert play.finish("b") == (EndRun("e"),)


def test_a_sub_process_is_no_step_that_somebody_could_finish():
    play = Play(xml(S + sub("p", inside()) + E, "s -> p\np -> e"))

    with pytest.raises(StaleHappening):
        play.happen(StepFinished(play.token("p")))


def test_a_sub_process_within_a_sub_process_ends_outwards():
    outer = start(name="os") + sub("inner", inside()) + end("oe")
    play = Play(xml(S + sub("outer", outer + flows("os -> inner\ninner -> oe")) + E, "s -> outer\nouter -> e"))

    assert play.open == ["outer", "inner", "a"]
    assert play.finish("a") == (EndRun("e"),)


def test_a_timer_on_a_sub_process_takes_everything_inside_away():
    late = event("boundaryEvent", "late", "timer", more='attachedToRef="p"', inside=duration("PT1H"))
    play = Play(xml(S + sub("p", inside()) + late + B + E, "s -> p\np -> e\nlate -> b\nb -> e"))

    play.fire("late")

    assert play.cancelled == ["a"]
    assert play.open == ["b"]


def test_a_terminate_end_ends_its_own_sub_process_only():
    body = start(name="is") + A + task("c") + end("k", "terminate") + end("ie")
    body += flows("is -> a\nis -> c\na -> k\nc -> ie")
    play = Play(xml(S + sub("p", body) + B + E, "s -> p\np -> b\nb -> e"))

    play.finish("a")

    assert play.cancelled == ["c"]
    assert play.open == ["b"]


def test_a_transaction_is_run_as_a_sub_process_and_one_without_a_start_begins_everything_that_nothing_leads_to():
    body = A + task("c")
    play = Play(xml(S + sub("p", body, tag="transaction") + E, "s -> p\np -> e"))

    assert play.open == ["p", "a", "c"]
    play.finish("c")
    assert play.finish("a") == (EndRun("e"),)


def test_an_ad_hoc_sub_process_offers_all_its_tasks_and_a_chosen_one_again():
    play = Play(xml(S + sub("p", A + B, tag="adHocSubProcess") + E, "s -> p\np -> e"))
    assert play.open == ["p", "a", "b"]

    play.happen(TaskChosen(play.token("p"), "a"))
    assert play.open == ["p", "a", "b", "a"]
    play.finish("a")
    play.finish("a")
    assert play.finish("b") == (EndRun("e"),)


def test_an_ad_hoc_sub_process_ends_early_when_its_condition_holds():
    body = task("a", outputs="ok:bool") + B + "<completionCondition>vars.a.ok</completionCondition>"
    play = Play(xml(S + sub("p", body, tag="adHocSubProcess") + E, "s -> p\np -> e"))

    assert play.finish("a", ok=True) == (CancelStep(3, "b"), EndRun("e"))


def in_sequence(body: str, condition: str = "") -> Play:
    ends = f"<completionCondition>{condition}</completionCondition>" if condition else ""
    return Play(xml(S + sub("p", body + ends, 'ordering="Sequential"', "adHocSubProcess") + E, "s -> p\np -> e"))


def test_tasks_in_sequence_are_open_one_after_the_other_in_the_order_drawn():
    play = in_sequence(A + B + task("c"))
    assert play.open == ["p", "a"]

    play.finish("a")
    assert play.open == ["p", "b"]
    play.finish("b")
    assert play.open == ["p", "c"]
    assert play.finish("c") == (EndRun("e"),)
    assert play.marking.lines == ()


def test_what_a_flow_leads_to_comes_before_what_is_next_in_sequence():
    play = in_sequence(A + B + task("c") + flows("a -> c"))

    play.finish("a")
    assert play.open == ["p", "c"]
    play.finish("c")
    assert play.open == ["p", "b"]


def test_a_task_that_is_chosen_comes_next_in_sequence_and_once_more_when_it_was_done():
    play = in_sequence(A + B + task("c"))
    play.happen(TaskChosen(play.token("p"), "c"))
    assert play.open == ["p", "a"], "one at a time"

    play.finish("a")
    assert play.open == ["p", "c"]
    play.happen(TaskChosen(play.token("p"), "a"))
    play.finish("c")
    assert play.open == ["p", "a"]
    play.finish("a")
    play.finish("b")
    assert play.marking.ended


def test_what_waits_in_sequence_goes_over_to_another_version():
    play = in_sequence(A + B + task("c"))
    renamed = read_bpmn(xml(S + sub("p", A + task("b2") + task("c"), 'ordering="Sequential"', "adHocSubProcess") + E,
                            "s -> p\np -> e"))  # fmt: skip
    side_by_side = read_bpmn(xml(S + sub("p", A + B + task("c"), tag="adHocSubProcess") + E, "s -> p\np -> e"))

    assert migrate(play.graph, renamed, play.marking, {"b": "b2"}).marking.lines == (Line(1, ("b2", "c")),)
    assert "one after the other" in migrate(play.graph, side_by_side, play.marking, {}).problems[0].reason


def test_tasks_in_sequence_end_early_when_the_condition_holds_between_two():
    play = in_sequence(task("a", outputs="ok:bool") + B, "vars.a.ok")

    assert play.finish("a", ok=True) == (EndRun("e"),)


def test_what_the_engine_does_in_sequence_it_does_at_once_and_goes_on():
    value = '<extensionElements><aos:output name="n" type="int" value="1"/></extensionElements>'
    scripts = "".join(f'<scriptTask id="{name}">{value}</scriptTask>' for name in ("x", "y"))
    play = in_sequence(scripts + A)

    assert play.open == ["p", "a"]
    assert (play.variables["x"], play.variables["y"]) == ({"n": 1}, {"n": 1})


def test_a_terminate_end_or_a_timer_ends_tasks_in_sequence_with_those_that_wait():
    play = in_sequence(A + B + end("k", "terminate") + flows("a -> k"))
    assert play.finish("a") == (EndRun("e"),)

    late = event("boundaryEvent", "late", "timer", more='attachedToRef="p"', inside=duration("PT1H"))
    ways = "s -> p\np -> e\nlate -> c\nc -> e"
    play = Play(xml(S + sub("p", A + B, 'ordering="Sequential"', "adHocSubProcess") + late + task("c") + E, ways))
    play.fire("late")
    assert (play.open, play.cancelled, play.marking.lines) == (["c"], ["a"], ())


@pytest.mark.parametrize("task_name", ["h", "handler", "un", "nothing"])
def test_only_a_task_of_the_sub_process_itself_is_chosen(task_name):
    body = A + task("un", 'isForCompensation="true"') + event_sub("message", "msg")
    beside = '<message id="msg" name="stop"/>'
    play = Play(xml(S + sub("p", body, tag="adHocSubProcess") + E, "s -> p\np -> e", beside))

    with pytest.raises(StaleHappening):
        play.happen(TaskChosen(play.token("p"), task_name))


# gateways


INCLUSIVE = """s -> a
               a -> o
               o -> b | vars.a.left
               o -> c | vars.a.right
               o -> j
               b -> j
               c -> j
               j -> d
               d -> e"""


def inclusive() -> Play:
    gates = '<inclusiveGateway id="o" default="o_j"/><inclusiveGateway id="j"/>'
    first = task("a", outputs="left:bool right:bool")
    return Play(xml(S + first + gates + B + task("c") + task("d") + E, INCLUSIVE))


@pytest.mark.parametrize(
    "left, right, opened", [(True, True, ["b", "c"]), (True, False, ["b"]), (False, True, ["c"]), (False, False, ["d"])]
)
def test_an_inclusive_gateway_takes_every_way_that_fits_and_joins_exactly_those(left, right, opened):
    play = inclusive()
    play.finish("a", left=left, right=right)
    assert play.open == opened

    for each in opened:
        assert "d" not in play.open or opened == ["d"]
        play.finish(each)

    assert opened == ["d"] or play.open == ["d"]


def test_an_inclusive_join_in_a_loop_does_not_wait_for_itself():
    gates = '<exclusiveGateway id="m"/><inclusiveGateway id="o" default="o_b"/><inclusiveGateway id="j"/>'
    again = '<exclusiveGateway id="x" default="x_e"/>'
    ways = "s -> m\nm -> a\na -> o\no -> b\no -> c | vars.a.both\nb -> j\nc -> j\nj -> d\nd -> x\nx -> e"
    ways += "\nx -> m | vars.d.again"
    body = S + gates + again + task("a", outputs="both:bool") + B + task("c") + task("d", outputs="again:bool") + E
    play = Play(xml(body, ways))

    for both, more in ((True, True), (False, True), (True, False)):
        play.finish("a", both=both)
        if both:
            play.finish("c")
        else:
            assert play.open == ["b"]
            play.finish("b")
        assert play.open == ["d"]
        play.finish("d", again=more)
    assert play.marking.ended


def test_the_first_event_behind_an_event_based_gateway_wins():
    events = event("intermediateCatchEvent", "m", "message", "msg") + event(
        "intermediateCatchEvent", "t", "timer", inside=duration("PT5M")
    )
    play = Play(
        xml(S + '<eventBasedGateway id="g"/>' + events + A + B + E,
            "s -> g\ng -> m\ng -> t\nm -> a\nt -> b\na -> e\nb -> e",
            beside='<message id="msg" name="paid"/>')
    )  # fmt: skip
    assert play.effects == (Subscribe(2, "m", "message", "paid"), StartTimer(3, "t", 0, 300))

    assert play.happen(EventCaught(2))[-1] == OpenStep(4, "a")
    assert play.waiting == []
    with pytest.raises(StaleHappening):
        play.happen(EventCaught(2))


# events that are waited for


def test_a_message_is_tied_to_the_run_by_its_key():
    catch = event("intermediateCatchEvent", "m", "message", "msg", more='aos:correlation="vars.input.order"')
    play = Play(
        xml(start("order:string") + catch + E, "s -> m\nm -> e", '<message id="msg" name="paid"/>'), {"order": "7"}
    )

    assert play.effects == (Subscribe(2, "m", "message", "paid", "7"),)
    assert play.catch("m") == (EndRun("e"),)


def test_a_key_that_cannot_be_read_stops_the_run_there_and_is_read_again():
    catch = event("intermediateCatchEvent", "m", "message", "msg", more='aos:correlation="vars.input.order"')
    play = Play(xml(start("order:string") + catch + E, "s -> m\nm -> e", '<message id="msg" name="paid"/>'))
    (incident,) = play.effects
    assert isinstance(incident, RaiseIncident)

    play.variables["input"] = {"order": "8"}
    play.happen(IncidentResolved(incident.token))

    assert play.effects == (Subscribe(4, "m", "message", "paid", "8"),)


def test_receiving_and_sending_are_done_by_the_engine():
    body = '<sendTask id="a" messageRef="msg" aos:correlation="vars.input.order"><extensionElements>' \
           '<aos:output name="total" type="decimal" value="vars.input.total"/></extensionElements></sendTask>' \
           '<receiveTask id="b" messageRef="answer"/>'  # fmt: skip
    messages = '<message id="msg" name="ask"/><message id="answer" name="answer"/>'
    play = Play(xml(start("order:string total:decimal") + body + E, "s -> a\na -> b\nb -> e", messages),
                {"order": "7", "total": "12.50"})  # fmt: skip

    assert play.effects == (
        Send("a", "message", "ask", "7", {"total": "12.50"}),
        Subscribe(3, "b", "message", "answer"),
    )
    assert play.catch("b") == (EndRun("e"),)


@pytest.mark.parametrize("inside_timer, seconds, at", [
    (duration("PT2M"), 120, ""),
    ("<timeDate>2026-12-24T18:00:00Z</timeDate>", 0, "2026-12-24T18:00:00Z"),
    ("<timeDuration>vars.input.wait</timeDuration>", 5400, ""),
])  # fmt: skip
def test_a_timer_on_the_way_is_due_after_a_length_or_at_a_moment(inside_timer, seconds, at):
    catch = event("intermediateCatchEvent", "t", "timer", inside=inside_timer)
    play = Play(xml(start("wait:duration") + catch + E, "s -> t\nt -> e"), {"wait": "1h30m"})

    assert play.effects == (StartTimer(2, "t", 0, seconds, at),)
    assert play.fire("t") == (EndRun("e"),)


@pytest.mark.parametrize("kind, element, value", [
    ("duration", "timeDuration", "9999999d"), ("string", "timeDuration", "P999999W"), ("string", "timeDuration", "P0D"),
    ("string", "timeDate", "0001-01-01T00:00:00+14:00"), ("string", "timeDate", "9999-12-31T23:59:59-12:00"),
    ("timestamp", "timeDate", "9999-12-31T23:59:59Z"),
])  # fmt: skip
def test_a_timer_whose_value_no_calendar_holds_asks_a_person(kind, element, value):
    catch = event("intermediateCatchEvent", "t", "timer", inside=f"<{element}>vars.input.wait</{element}>")
    play = Play(xml(start(f"wait:{kind}") + catch + E, "s -> t\nt -> e"), {"wait": value})

    (incident,) = play.effects
    assert isinstance(incident, RaiseIncident) and "at most ten years" in incident.reason


def test_a_cycle_on_the_edge_fires_as_often_as_it_says():
    remind = event("boundaryEvent", "t", "timer", more='attachedToRef="a" cancelActivity="false"',
                   inside="<timeCycle>R3/PT1H</timeCycle>")  # fmt: skip
    play = Play(xml(S + A + remind + B + E, "s -> a\na -> e\nt -> b\nb -> e"))

    for _ in range(3):
        play.fire("t")
        assert play.steps == ["b"]

    assert play.marking.timers == ()
    assert play.open == ["a", "b", "b", "b"]


def test_a_message_on_the_edge_that_does_not_interrupt_can_come_again():
    ask = event("boundaryEvent", "m", "message", "msg", more='attachedToRef="a" cancelActivity="false"')
    play = Play(xml(S + A + ask + B + E, "s -> a\na -> e\nm -> b\nb -> e", '<message id="msg" name="hello"/>'))

    play.catch("m")
    play.catch("m")

    assert play.open == ["a", "b", "b"]
    assert Unsubscribe(play.marking.waits[0].id, "m") in play.finish("a")


def test_a_condition_is_looked_at_after_every_happening_and_fires_when_it_becomes_true():
    body = start("limit:int") + task("a", outputs="total:int") + B
    watch = event("boundaryEvent", "c", "conditional", more='attachedToRef="b" cancelActivity="false"',
                  inside="<condition>vars.a.total &gt; vars.input.limit</condition>")  # fmt: skip
    play = Play(xml(body + watch + task("d") + E, "s -> a\ns -> b\na -> e\nb -> e\nc -> d\nd -> e"), {"limit": 5})

    play.finish("a", total=9)
    assert play.open == ["b", "d"]
    play.happen(VariablesChanged())
    assert play.open == ["b", "d"]  # it still holds, and that is nothing new
    play.variables["a"] = {"total": 1}
    play.happen(VariablesChanged())
    play.variables["a"] = {"total": 8}
    play.happen(VariablesChanged())
    assert play.open == ["b", "d", "d"]


def test_a_run_waits_for_a_condition_on_its_way():
    catch = event("intermediateCatchEvent", "c", "conditional", inside="<condition>vars.input.ready</condition>")
    play = Play(xml(start("ready:bool") + catch + E, "s -> c\nc -> e"), {"ready": False})
    assert play.open == ["c"]

    play.variables["input"] = {"ready": True}

    assert play.happen(VariablesChanged()) == (EndRun("e"),)


def test_several_starts_begin_the_run_where_it_was_started():
    begin = event("startEvent", "m", "message", "msg")
    body = xml(S + begin + A + B + E, "s -> a\nm -> b\na -> e\nb -> e", '<message id="msg" name="hello"/>')

    assert Play(body).open == ["a"]
    assert Play(body, begin="m").open == ["b"]
    with pytest.raises(StaleHappening):
        Play(body, begin="nowhere")


def test_a_link_goes_on_where_the_other_one_stands():
    links = event("intermediateThrowEvent", "l1", "link", "far") + event("intermediateCatchEvent", "l2", "link", "far")
    play = Play(xml(S + A + links + B + E, "s -> a\na -> l1\nl2 -> b\nb -> e"))

    play.finish("a")

    assert play.open == ["b"]


@pytest.mark.parametrize("tag", ["intermediateThrowEvent", "endEvent"])
def test_a_throw_sends_its_signal_with_what_it_carries(tag):
    definition = '<signalEventDefinition signalRef="sig"/>'
    value = '<extensionElements><aos:output name="n" type="int" value="vars.input.n + 1"/></extensionElements>'
    way = "s -> t\nt -> e" if tag == "intermediateThrowEvent" else "s -> t"
    body = f'{start("n:int")}<{tag} id="t">{value}{definition}</{tag}>' + (E if "e" in way.split() else "")
    play = Play(xml(body, way, '<signal id="sig" name="alarm"/>'), {"n": 1})

    assert play.effects[0] == Send("t", "signal", "alarm", "", {"n": 2})
    assert play.marking.ended


# errors and escalations


CODES = '<error id="bad" errorCode="E1"/><escalation id="esc" escalationCode="X1"/>'


def test_an_error_of_a_step_goes_to_the_event_on_its_edge_that_knows_the_code():
    edges = event("boundaryEvent", "any", "error", more='attachedToRef="a"') + event(
        "boundaryEvent", "known", "error", "bad", more='attachedToRef="a"'
    )
    body = xml(S + A + edges + B + task("c") + E, "s -> a\na -> e\nknown -> b\nany -> c\nb -> e\nc -> e", CODES)

    play = Play(body)
    effects = play.happen(StepFailed(1, "E1", "no paper"))
    assert effects == (Assign("known", {"code": "E1", "reason": "no paper"}), OpenStep(2, "b"))

    play = Play(body)
    play.happen(StepFailed(1, "E2"))
    assert play.open == ["c"]


def test_an_error_end_leaves_the_sub_process_through_its_edge():
    bad = start(name="is") + A + task("c") + end("ie", "error", "bad") + end("oe")
    bad += flows("is -> a\nis -> c\na -> ie\nc -> oe")
    edge = event("boundaryEvent", "known", "error", "bad", more='attachedToRef="p"')
    play = Play(xml(S + sub("p", bad) + edge + B + E, "s -> p\np -> e\nknown -> b\nb -> e", CODES))

    play.finish("a")

    assert play.cancelled == ["c"]
    assert play.open == ["b"]


def test_an_error_that_nobody_catches_is_an_incident_and_the_step_can_be_done_again():
    play = Play(xml(S + A + E, "s -> a\na -> e"))

    (incident,) = play.happen(StepFailed(1, "E9", "broken"))
    assert "E9" in incident.reason and "broken" in incident.reason
    assert play.stuck == ["a"]
    with pytest.raises(StaleHappening):
        play.happen(StepFinished(1))

    assert play.happen(IncidentResolved(incident.token)) == (OpenStep(3, "a"),)


def test_an_escalation_is_heard_and_the_step_goes_on():
    edge = event("boundaryEvent", "esc1", "escalation", "esc", more='attachedToRef="a" cancelActivity="false"')
    play = Play(xml(S + A + edge + B + E, "s -> a\na -> e\nesc1 -> b\nb -> e", CODES))

    play.happen(StepEscalated(1, "X1"))
    assert play.open == ["a", "b"]
    assert play.happen(StepEscalated(1, "X2")) == (TellEscalation("a", "X2"),)


def test_an_escalation_on_the_way_interrupts_the_sub_process_if_its_edge_says_so():
    body = start(name="is") + event("intermediateThrowEvent", "t", "escalation", "esc") + A + flows("is -> t\nt -> a")
    for interrupts, opened in (("true", ["b"]), ("false", ["p", "a", "b"])):
        edge = event("boundaryEvent", "x", "escalation", "esc", more=f'attachedToRef="p" cancelActivity="{interrupts}"')
        play = Play(xml(S + sub("p", body) + edge + B + E, "s -> p\np -> e\nx -> b\nb -> e", CODES))
        assert sorted(play.open) == sorted(opened)


# event sub-processes


def event_sub(kind: str, ref: str = "", *, interrupts: bool = True, timer: str = "", task_id: str = "h") -> str:
    begin = event("startEvent", "hs", kind, ref, more=f'isInterrupting="{str(interrupts).lower()}"', inside=timer)
    body = begin + task(task_id) + end("he") + flows(f"hs -> {task_id}\n{task_id} -> he")
    return sub("handler", body, 'triggeredByEvent="true"')


def test_an_event_sub_process_interrupts_what_surrounds_it():
    play = Play(xml(S + A + event_sub("message", "msg") + E, "s -> a\na -> e", '<message id="msg" name="stop"/>'))
    assert play.waiting == ["hs"]

    play.catch("hs")

    assert play.cancelled == ["a"]
    assert play.open == ["handler", "h"]
    assert play.finish("h") == (EndRun("he"),)


def test_an_event_sub_process_beside_goes_on_with_the_rest_and_can_begin_again():
    handler = event_sub("signal", "sig", interrupts=False)
    play = Play(xml(S + A + handler + E, "s -> a\na -> e", '<signal id="sig" name="news"/>'))

    play.catch("hs")
    play.catch("hs")
    assert play.open == ["a", "handler", "h", "handler", "h"]
    play.finish("a")
    assert not play.marking.ended
    play.finish("h")
    assert play.finish("h")[-1] == EndRun("he")
    assert play.waiting == []


def test_an_error_start_catches_what_goes_wrong_around_it_and_not_what_goes_wrong_in_it():
    play = Play(xml(S + A + event_sub("error", "bad") + E, "s -> a\na -> e", CODES))

    play.happen(StepFailed(1, "E1"))
    assert play.open == ["handler", "h"]
    play.happen(StepFailed(play.token("h"), "E1"))
    assert play.stuck == ["h"]


def test_a_timer_start_ends_a_sub_process_in_time():
    body = inside() + event_sub("timer", timer=duration("PT1H"))
    play = Play(xml(S + sub("p", body) + B + E, "s -> p\np -> b\nb -> e"))

    play.fire("hs")
    assert play.open == ["p", "handler", "h"]
    play.finish("h")
    assert play.open == ["b"]


@pytest.mark.parametrize("text, seconds", [("P1M", 2_629_746), ("P1Y2M3DT4H", 37_090_044), ("P1Y", 31_556_952)])
def test_a_length_of_months_is_told_as_it_is_written(text, seconds):
    late = event("boundaryEvent", "late", "timer", more='attachedToRef="a"', inside=duration(text))
    play = Play(xml(S + A + late + E, "s -> a\na -> e\nlate -> e"))

    assert play.effects[-1] == StartTimer(2, "late", 1, seconds, "", text)


def test_a_length_of_months_that_an_expression_gives_is_told_as_it_is_written():
    wait = event("intermediateCatchEvent", "w", "timer", inside=duration("vars.a.long"))
    play = Play(xml(S + task("a", outputs="long:string") + wait + E, "s -> a\na -> w\nw -> e"))

    assert play.finish("a", long="P3M")[-1] == StartTimer(3, "w", 0, 7_889_238, "", "P3M")


def test_a_cycle_of_months_counts_each_time():
    remind = event("boundaryEvent", "t", "timer", more='attachedToRef="a" cancelActivity="false"',
                   inside="<timeCycle>R2/P1M</timeCycle>")  # fmt: skip
    play = Play(xml(S + A + remind + B + E, "s -> a\na -> e\nt -> b\nb -> e"))

    assert StartTimer(3, "t", 1, 2_629_746, "", "P1M") in play.fire("t")


# transactions


def bought(ends: str = "") -> str:
    """A transaction that reserves and charges, each to be undone, and is cancelled when charging says so."""
    body = start(name="is") + undoable("a") + undoable("b") + '<exclusiveGateway id="x" default="x_ie"/>' + end("ie")
    body += end("k", "cancel") + ends + flows("is -> a\na -> b\nb -> x\nx -> k | vars.b.bad\nx -> ie")
    body = body.replace('<serviceTask id="b" aos:role="r" >', '<serviceTask id="b" aos:role="r">' + BAD)
    edge = event("boundaryEvent", "off", "cancel", more='attachedToRef="p"')
    return S + sub("p", body, tag="transaction") + edge + task("after") + E


BAD = '<extensionElements><aos:output name="bad" type="bool"/></extensionElements>'
BOUGHT_WAYS = "s -> p\np -> e\noff -> after\nafter -> e"


def test_a_cancelled_transaction_undoes_what_is_done_and_is_left_by_its_cancel_event():
    play = Play(xml(bought(), BOUGHT_WAYS))
    play.finish("a")

    play.finish("b", bad=True)
    assert play.open == ["p", "k", "un_b"]
    play.finish("un_b")
    assert play.open == ["p", "k", "un_a"]
    play.finish("un_a")
    assert play.open == ["after"]
    assert play.finish("after") == (EndRun("e"),)


def test_a_transaction_that_goes_well_is_left_as_a_sub_process():
    play = Play(xml(bought(), BOUGHT_WAYS))
    play.finish("a")

    assert play.finish("b", bad=False) == (EndRun("e"),)


def test_a_transaction_that_is_cancelled_takes_back_what_goes_on_and_undoes_what_was_done_in_open_parts():
    inner = sub("q", start(name="qs") + undoable("a") + B + end("qe") + flows("qs -> a\na -> b\nb -> qe"))
    body = start(name="is") + inner + task("c") + end("ie") + end("k", "cancel")
    edge = event("boundaryEvent", "off", "cancel", more='attachedToRef="p"')
    drawing = S + sub("p", body + flows("is -> q\nq -> ie\nis -> c\nc -> k"), tag="transaction") + edge + E + end("e2")
    play = Play(xml(drawing, "s -> p\np -> e\noff -> e2"))
    play.finish("a")

    play.finish("c")

    assert play.cancelled == ["b"]
    assert play.open == ["p", "k", "un_a"]
    assert play.finish("un_a") == (EndRun("e2"),)


def test_a_transaction_with_nothing_done_is_left_at_once():
    body = start(name="is") + A + end("k", "cancel") + flows("is -> a\na -> k")
    edge = event("boundaryEvent", "off", "cancel", more='attachedToRef="p"')
    play = Play(xml(S + sub("p", body, tag="transaction") + edge + E, "s -> p\np -> e\noff -> e"))

    assert play.finish("a") == (EndRun("e"),)


# compensation


def undoable(name: str) -> str:
    back = event("boundaryEvent", f"{name}_edge", "compensate", more=f'attachedToRef="{name}"')
    line = f'<association id="{name}_line" sourceRef="{name}_edge" targetRef="un_{name}"/>'
    return task(name) + back + task(f"un_{name}", 'isForCompensation="true"') + line


def test_what_was_done_is_undone_the_last_first_and_only_what_was_done():
    undo = event("intermediateThrowEvent", "undo", "compensate")
    body = S + undoable("a") + undoable("b") + undoable("c") + undo + E
    play = Play(xml(body, "s -> a\na -> b\nb -> undo\nundo -> e\ns -> c\nc -> e"))
    play.finish("a")
    play.finish("b")

    assert play.steps == ["un_b"]
    assert play.finish("un_b")[-1].node_id == "un_a"
    play.finish("un_a")
    assert play.open == ["c"]
    assert play.marking.completed == ()
    play.finish("c")
    assert play.marking.ended


def test_undoing_goes_on_when_an_event_ends_one_part_of_it():
    undo = event("intermediateThrowEvent", "undo", "compensate")
    edge = event("boundaryEvent", "known", "error", "bad", more='attachedToRef="un_b"')
    play = Play(xml(S + undoable("a") + undoable("b") + edge + undo + task("c") + E,
                    "s -> a\na -> b\nb -> undo\nundo -> e\nknown -> c", CODES))  # fmt: skip
    play.finish("a")
    play.finish("b")

    play.happen(StepFailed(play.token("un_b"), "E1"))

    assert sorted(play.open) == ["c", "un_a", "undo"]
    play.finish("c")
    assert play.finish("un_a") == (EndRun("e"),)


def test_only_the_activity_that_is_named_is_undone():
    undo = event("endEvent", "undo", "compensate", "a")
    play = Play(xml(S + undoable("a") + undoable("b") + undo, "s -> a\na -> b\nb -> undo"))
    play.finish("a")
    play.finish("b")

    assert play.open == ["undo", "un_a"]
    assert play.finish("un_a") == (EndRun("undo"),)


def test_a_finished_sub_process_is_undone_from_the_inside():
    body = start(name="is") + undoable("a") + undoable("b") + end("ie") + flows("is -> a\na -> b\nb -> ie")
    undo = event("intermediateThrowEvent", "undo", "compensate")
    play = Play(xml(S + sub("p", body) + undo + E, "s -> p\np -> undo\nundo -> e"))
    play.finish("a")
    play.finish("b")

    assert play.steps == ["un_b"]
    play.finish("un_b")
    assert play.steps == ["un_a"]
    assert play.finish("un_a") == (EndRun("e"),)


# calls, scripts


def test_a_call_runs_another_workflow_with_what_it_passes_on():
    call = '<callActivity id="a" calledElement="other"><extensionElements>' \
           '<aos:input name="n" type="int" value="vars.input.n * 2"/></extensionElements></callActivity>'  # fmt: skip
    play = Play(xml(start("n:int") + call + E, "s -> a\na -> e"), {"n": 3})
    assert play.effects == (CallWorkflow(1, "a", "other", {"n": 6}),)

    assert play.happen(RunCancelled()) == (CancelCall(1, "a"),)


def test_a_call_without_a_list_of_its_own_passes_on_what_the_run_was_started_with():
    play = Play(xml(start("n:int") + '<callActivity id="a" calledElement="other"/>' + E, "s -> a\na -> e"), {"n": 3})

    assert play.effects == (CallWorkflow(1, "a", "other", {"n": 3}),)
    assert play.happen(StepFinished(1)) == (EndRun("e"),)


def test_a_script_works_its_values_out_and_conditions_read_them():
    script = '<scriptTask id="a"><extensionElements><aos:output name="sum" type="decimal" ' \
             'value="vars.input.net * 1.19"/></extensionElements></scriptTask>'  # fmt: skip
    gate = '<exclusiveGateway id="x" default="x_e"/>'
    ways = "s -> a\na -> x\nx -> b | vars.a.sum > 100\nx -> e\nb -> e"
    play = Play(xml(start("net:decimal") + script + gate + B + E, ways),
                {"net": "100.00"})  # fmt: skip

    assert play.effects == (Assign("a", {"sum": "119.0000"}), OpenStep(2, "b"))


# loops and many instances


def many(more: str = "", inside_loop: str = "", outputs: str = "") -> str:
    loop = f"<multiInstanceLoopCharacteristics {more}>{inside_loop}</multiInstanceLoopCharacteristics>"
    return task("a", inside=loop, outputs=outputs)


ITEMS = '<startEvent id="s"><extensionElements><aos:input name="items" type="list"/></extensionElements></startEvent>'
ITEM_WAYS = "s -> a\na -> e"
OVER = 'aos:collection="vars.input.items" aos:element="item"'


def test_many_instances_are_open_at_once_and_what_they_leave_is_gathered():
    play = Play(xml(ITEMS + many(OVER, outputs="ok:bool") + E, ITEM_WAYS), {"items": ["x", "y", "z"]})
    assert play.effects == tuple(OpenStep(n + 2, "a", n, item) for n, item in enumerate("xyz"))

    assert play.happen(StepFinished(3)) == ()
    with pytest.raises(StaleHappening):
        play.happen(StepFinished(3))
    with pytest.raises(StaleHappening):
        play.happen(StepFinished(1))
    play.happen(StepFinished(2))
    assert play.happen(StepFinished(4)) == (GatherOutputs(1, "a", 2, 3),)
    assert play.happen(Gathered(1)) == (EndRun("e"),)


def test_instances_in_a_row_are_opened_one_after_the_other():
    play = Play(xml(ITEMS + many(f'{OVER} isSequential="true"') + E, ITEM_WAYS), {"items": ["x", "y"]})

    assert play.effects == (OpenStep(2, "a", 0, "x"),)
    assert play.happen(StepFinished(2)) == (OpenStep(3, "a", 1, "y"),)
    assert play.happen(StepFinished(3)) == (EndRun("e"),)


def test_nothing_to_do_for_an_empty_list():
    play = Play(xml(ITEMS + many(OVER) + E, ITEM_WAYS), {"items": []})

    assert play.effects == (Assign("a", {"items": []}), EndRun("e"))


def test_enough_instances_end_the_others():
    enough = "<completionCondition>loop.done * 2 &gt;= loop.count</completionCondition>"
    play = Play(xml(S + many("", f"<loopCardinality>4</loopCardinality>{enough}") + E, ITEM_WAYS))
    assert len(play.effects) == 4

    play.happen(StepFinished(2))
    assert play.happen(StepFinished(5)) == (CancelStep(3, "a"), CancelStep(4, "a"), EndRun("e"))


def test_what_is_no_list_is_an_incident():
    play = Play(xml(ITEMS + many(OVER) + E, ITEM_WAYS), {"items": "x"})

    (incident,) = play.effects
    assert "is not a list" in incident.reason
    play.variables["input"] = {"items": ["x"]}
    assert play.happen(IncidentResolved(incident.token))[0].item == "x"


def test_one_failed_instance_is_tried_again_under_its_own_number():
    play = Play(xml(ITEMS + many(OVER) + E, ITEM_WAYS), {"items": ["x", "y"]})

    (incident,) = play.happen(StepFailed(3, "E1"))
    assert incident.token == 3
    with pytest.raises(StaleHappening):
        play.happen(StepFailed(3, "E1"))
    assert play.happen(IncidentResolved(3)) == (OpenStep(3, "a", 1, "y"),)
    play.happen(StepFinished(3))
    assert play.happen(StepFinished(2)) == (EndRun("e"),)


def test_an_event_on_the_edge_takes_all_instances_away():
    late = event("boundaryEvent", "t", "timer", more='attachedToRef="a"', inside=duration("PT1H"))
    play = Play(xml(ITEMS + many(OVER) + late + B + E, ITEM_WAYS + "\nt -> b\nb -> e"), {"items": ["x", "y"]})
    play.happen(StepFinished(3))

    play.fire("t")

    assert play.cancelled == ["a"]
    assert play.open == ["b"]


@pytest.mark.parametrize("sequential", ["false", "true"])
def test_sub_processes_many_times_read_their_own_item(sequential):
    body = start(name="is") + '<exclusiveGateway id="x" default="x_ie"/>' + B + end("ie")
    body += flows('is -> x\nx -> b | loop.item == "y"\nx -> ie\nb -> ie')
    loop = f'<multiInstanceLoopCharacteristics {OVER} isSequential="{sequential}"/>'
    play = Play(xml(ITEMS + sub("a", body + loop) + E, ITEM_WAYS), {"items": ["x", "y", "z"]})

    assert play.steps == ["b"]
    assert play.finish("b") == (EndRun("e"),)


@pytest.mark.parametrize("more, turns", [('loopMaximum="3"', 3), ('loopMaximum="10"', 5), ('testBefore="true"', 5)])
def test_a_loop_goes_on_while_its_condition_holds(more, turns):
    tag = "standardLoopCharacteristics"
    loop = f"<{tag} {more}><loopCondition>loop.index &lt; 5</loopCondition></{tag}>"
    play = Play(xml(S + task("a", inside=loop) + E, ITEM_WAYS))

    for turn in range(turns):
        (step,) = play.effects
        assert (step.node_id, step.index) == ("a", turn)
        play.happen(StepFinished(step.token))

    assert play.effects == (EndRun("e"),)


def test_scripts_many_times_leave_a_list():
    loop = "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"
    script = '<scriptTask id="a"><extensionElements><aos:output name="n" type="int" value="loop.index * 2"/>' \
             f"</extensionElements>{loop}</scriptTask>"  # fmt: skip
    play = Play(xml(S + script + E, ITEM_WAYS))

    assert play.effects[0] == Assign("a", {"items": [{"n": 0}, {"n": 2}, {"n": 4}]})


def test_what_failed_can_count_as_done():
    play = Play(xml(S + A + B + E, "s -> a\na -> b\nb -> e"))
    (incident,) = play.happen(StepFailed(1, "E1"))

    assert play.happen(StepFinished(incident.token))[-1].node_id == "b"


# moved by hand


def test_a_token_is_moved_to_another_place_of_the_same_part():
    play = Play(xml(S + A + B + E, "s -> a\na -> b\nb -> e"))

    assert play.happen(TokenMoved(1, "b")) == (CancelStep(1, "a"), OpenStep(2, "b"))
    with pytest.raises(StaleHappening):
        play.happen(TokenMoved(1, "a"))
    with pytest.raises(StaleHappening):
        play.happen(TokenMoved(2, "s"))


def test_a_stuck_token_is_moved_past_what_stopped_it():
    play = Play(xml(S + A + B + E, "s -> a\na -> b\nb -> e"))
    (incident,) = play.happen(StepFailed(1, "E1"))

    assert play.happen(TokenMoved(incident.token, "b"))[-1].node_id == "b"


def test_flows_count_how_often_they_were_taken():
    gate = '<exclusiveGateway id="x" default="x_e"/>'
    play = Play(xml(S + task("a", outputs="again:bool") + gate + E, "s -> a\na -> x\nx -> a | vars.a.again\nx -> e"))
    for again in (True, True, False):
        play.finish("a", again=again)

    assert play.marking.passed == {"s_a": 1, "a_x": 3, "x_a": 2, "x_e": 1}


def test_people_do_manual_work_and_agents_what_names_their_role():
    play = Play(xml(S + '<manualTask id="a" aos:path="p"/><task id="b" aos:role="r"/>' + person("c") + E,
                    "s -> a\na -> b\nb -> c\nc -> e"))  # fmt: skip
    for each in ("a", "b", "c"):
        play.finish(each)

    assert play.marking.ended
