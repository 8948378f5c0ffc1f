"""Every public name has an example in its documentation, and every example is so."""

import contextvars
import doctest
import inspect
from pathlib import Path

import pytest
from child import told as said

import syncpoint

#: What other programs look for and call: such names are public too.
PROTOCOLS = {"__cuda_stream__"}


def members(owner):
    """What a module or a class itself has for its users, by name; numbers and texts, which have no documentation, left out."""
    if inspect.ismodule(owner):
        return {name: getattr(owner, name) for name in owner.__all__}
    # What a class has from one that users have no name for is its own.
    bases = [base for base in reversed(owner.__mro__) if base is owner or base.__name__.startswith("_")]
    own = {name: value for base in bases for name, value in vars(base).items()}
    values = {name: value for name, value in own.items() if not name.startswith("_") or name in PROTOCOLS}
    return {name: value for name, value in values.items() if inspect.isroutine(value) or inspect.isdatadescriptor(value)}


def walked(name, value, seen):
    """A name and those under it, each with its value; what has two names is told once."""
    if id(value) in seen:
        return
    seen.add(id(value))
    yield name, value
    if inspect.ismodule(value) or inspect.isclass(value):
        for member, of in sorted(members(value).items()):
            yield from walked(f"{name}.{member}", of, seen)


NAMES = dict(walked("syncpoint", syncpoint, set()))


@pytest.fixture(autouse=True)
def backend():
    yield
    # What an example has chosen is for that alone.
    syncpoint.set_default_backend(None)


def example(name, documentation):
    """The lines of an example, as the interpreter would read them."""
    return doctest.DocTestParser().get_doctest(inspect.cleandoc(documentation or ""), {}, name, None, None)


def told(found):
    """What is not so in an example. The current streams that it sets are its own."""
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    contextvars.copy_context().run(runner.run, found, out=report.append)
    return "".join(report)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_an_example_and_it_is_so(name):
    found = example(name, NAMES[name].__doc__)
    assert found.examples, f"{name} has no example: {NAMES[name].__doc__}"
    assert told(found) == ""


#: What users write as signs and words has its example, and its errors, where its class is documented.
OPERATORS = {
    "syncpoint.Event": ["end - start", "await end"],
    "syncpoint.Point": ["await "],
    "syncpoint.Span": ["end - start", "(start - end) < span"],
    "syncpoint.Stream": ["with stream:"],
    "syncpoint.Buffer": ["buffer["],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_has_an_example_in_its_class(name):
    source = "".join(each.source for each in example(name, NAMES[name].__doc__).examples)
    assert [each for each in OPERATORS[name] if each not in source] == []


#: A program that carries out the examples in an order of its own, one behind the other and none tidied up after.
ALL = """
import random, sys
sys.path.insert(0, sys.argv[1])
from test_documented import NAMES, doctest, example

names = sorted(NAMES)
random.Random(int(sys.argv[2])).shuffle(names)
runner, report = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS), []
for name in names[:: int(sys.argv[3])]:
    runner.run(example(name, NAMES[name].__doc__), out=report.append)
print("".join(report), end="")
"""


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("seed", [1, 2])
def test_examples_are_so_in_any_order(seed, step):
    assert said(ALL, str(Path(__file__).parent), str(seed), str(step)) == ""


@pytest.mark.parametrize(
    "name",
    [
        "syncpoint.cuda",
        "syncpoint.open",
        "syncpoint.Capabilities.timing",
        "syncpoint.Event.from_ipc_handle",
        "syncpoint.Stream.__cuda_stream__",
        "syncpoint.Point.query",
        "syncpoint.Run.verdict",
        "syncpoint.cuda.device_count",
        "syncpoint.cuda.Event.record",
        "syncpoint.cuda.Stream.priority_range",
        "syncpoint.mps._mps_queryEvent",
        "syncpoint.classes.cuda.Event.wait",
    ],
)
def test_names_of_every_kind_are_looked_at(name):
    assert name in NAMES


def test_an_example_that_is_not_so_is_told():
    assert told(example("right", "Adds.\n\n    >>> 1 + 1\n    2")) == ""
    assert "Expected:\n    3\nGot:\n    2" in told(example("wrong", "Adds.\n\n    >>> 1 + 1\n    3"))
    assert "NameError" in told(example("raising", ">>> nothing"))
    assert not example("none", None).examples
