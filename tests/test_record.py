import pytest

from dispatchfile.record import Record, plain, replace


class Point(Record, uncompared=("note",), hidden=("secret",)):
    x: int
    y: int = 0
    note: str = ""
    secret: str = "s"


class Named(Point):
    name: str


class Node(Record, eq=False):
    label: str


class Leaf(Node):
    value: int


def test_fields_come_by_position_or_name_with_defaults() -> None:
    point = Point(1, note="n")
    assert (point.x, point.y, point.note) == (1, 0, "n")
    with pytest.raises(TypeError):
        Point()
    with pytest.raises(TypeError):
        Point(1, z=2)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1, 2, "n", "s", 5), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((), {"y": 1})],
    ids=["missing", "too many", "twice", "unknown", "missing beside a given one"],
)
def test_wrong_arguments_are_refused_by_the_first_object_and_by_later_ones(args, kwargs) -> None:
    class Fresh(Point):
        pass

    for _ in range(2):
        with pytest.raises(TypeError):
            Fresh(*args, **kwargs)


def test_the_first_objects_are_like_the_later_ones() -> None:
    class Fresh(Point):
        pass

    points = [Fresh(n, note="n") for n in range(60)]
    assert points == [Fresh(n, 0, "n") for n in range(60)]
    assert all(vars(point) == {"x": n, "y": 0, "note": "n", "secret": "s"} for n, point in enumerate(points))


def test_fields_without_a_default_come_first_in_a_derived_record() -> None:
    named = Named(1, "p")
    assert (named.x, named.name, named.y) == (1, "p", 0)


def test_equality_and_hash_leave_uncompared_fields_out() -> None:
    assert Point(1, note="a") == Point(1, note="b")
    assert hash(Point(1, note="a")) == hash(Point(1, note="b"))
    assert Point(1) != Point(2)
    assert Point(1, 0) != Named(1, "p", 0)


def test_identity_is_inherited() -> None:
    assert Leaf("a", 1) != Leaf("a", 1)
    leaf = Leaf("a", 1)
    assert leaf == leaf
    assert len({leaf, Leaf("a", 1)}) == 2


def test_repr_hides_what_is_hidden() -> None:
    assert repr(Point(1, 2)) == "Point(x=1, y=2)"


def test_replace_changes_only_what_is_named() -> None:
    assert replace(Point(1, 2), y=3) == Point(1, 3)
    with pytest.raises(TypeError):
        replace(Point(1, 2), z=3)


@pytest.mark.parametrize("count", range(31))
def test_records_of_any_size_keep_each_field_in_its_place(count: int) -> None:
    names = [f"field_{number}" for number in range(count)]
    made = type(
        "Made", (Record,), {"__annotations__": dict.fromkeys(names, int), **dict.fromkeys(names[3:], 0)}
    )
    assert vars(made(*range(count))) == {name: number for number, name in enumerate(names)}
    some = {name: number for number, name in enumerate(names[:5])}
    assert vars(made(**some)) == {**dict.fromkeys(names, 0), **some}
    with pytest.raises(TypeError, match="__init__"):
        made(*range(count + 1))


def test_a_derived_record_makes_its_own_init_after_its_base() -> None:
    Point(1)

    class Later(Point):
        z: int = 3

    assert vars(Later(1, z=4)) == {"x": 1, "y": 0, "note": "", "secret": "s", "z": 4}


def test_a_record_derived_before_the_first_object_of_its_base_has_an_init_of_its_own() -> None:
    class Base(Record):
        x: int

    class Derived(Base):
        y: int

    assert vars(Base(1)) == {"x": 1}
    assert vars(Derived(1, 2)) == {"x": 1, "y": 2}


def test_records_as_json_has_them() -> None:
    class Line(Record):
        points: tuple[Point, ...]
        at: dict[str, int]

    told = plain([Line((Point(1), Point(2, note="b")), {"z": 1}), None])
    first, second = ({"x": x, "y": 0, "note": note, "secret": "s"} for x, note in ((1, ""), (2, "b")))
    assert told == [{"points": [first, second], "at": {"z": 1}}, None]
