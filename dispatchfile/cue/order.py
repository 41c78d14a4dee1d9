"""The order of a struct's fields, where it shows: in loops, and in `json.Marshal`.

A struct that comes from one literal has the order in which it is written. When structs are unified (a field given
twice, a reference joined with a literal, embeddings, templates, comprehensions), CUE v0.1.2 sorts the fields by when
their labels are first mentioned: first those that its own packages mention, then the file's, as a label or in an
expression, from top to bottom. Later versions keep the order in which the fields come, so a file with syntax that
v0.1.2 does not know keeps that too.
"""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.walk import children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dispatchfile.cue.node import Node

# What the packages that come with v0.1.2 mention, package by package.
_PACKAGES = """
Size BlockSize Sum Size224 Sum256 Sum224 Size256 Size384 Sum512 Sum384 Sum512_224 Sum512_256
EncodedLen DecodedLen Encode Decode Dump Valid Compact Indent HTMLEscape Marshal MarshalStream Unmarshal Validate
ValidatePartial Escape Unescape Drop FlattenN Take Slice MinItems MaxItems UniqueItems Contains Avg Max Min Product
Range Sort SortStable SortStrings IsSorted IsSortedStrings Comparer T less x y Ascending Descending
MaxExp MinExp MaxPrec ToNearestEven ToNearestAway ToZero AwayFromZero ToNegativeInf ToPositiveInf Below Exact Above
Jacobi MaxBase Floor Ceil Trunc Round RoundToEven MultipleOf Abs Acosh Asin Acos Asinh Atan Atan2 Atanh Cbrt E Pi Phi
Sqrt2 SqrtE SqrtPi SqrtPhi Ln2 Log2E Ln10 Log10E Copysign Dim Erf Erfc Erfinv Erfcinv Exp Exp2 Expm1 Gamma Hypot J0
Y0 J1 Y1 Jn Yn Ldexp Log Log10 Log2 Log1p Logb Ilogb Mod Pow Pow10 Remainder Signbit Cos Sin Sinh Cosh Sqrt Tan Tanh
Lsh Rsh At Set And Or Xor Clear OnesCount Len SplitHostPort JoinHostPort FQDN IPv4len IPv6len ParseIP IPv4 IP
LoopbackIP MulticastIP InterfaceLocalMulticastIP LinkLocalMulticastIP LinkLocalUnicastIP GlobalUnicastIP UnspecifiedIP
ToIP4 ToIP16 IPString Split Match Clean Ext Base IsAbs Dir Find FindAll FindSubmatch FindAllSubmatch FindNamedSubmatch
FindAllNamedSubmatch QuoteMeta Unquote ParseBool FormatBool ParseFloat IntSize ParseUint ParseInt Atoi FormatFloat
FormatUint FormatInt Quote QuoteToASCII QuoteToGraphic QuoteRune QuoteRuneToASCII QuoteRuneToGraphic IsPrint IsGraphic
ByteAt ByteSlice Runes MinRunes MaxRunes ToTitle ToCamel Compare Count ContainsAny LastIndex IndexAny LastIndexAny
SplitN SplitAfterN SplitAfter Fields Join HasPrefix HasSuffix Repeat ToUpper ToLower Trim TrimLeft TrimRight TrimSpace
TrimPrefix TrimSuffix Replace Index MinFields MaxFields Write Execute JSEscape Nanosecond Microsecond Millisecond
Second Minute Hour Duration ParseDuration ANSIC UnixDate RubyDate RFC822 RFC822Z RFC850 RFC1123 RFC1123Z RFC3339
RFC3339Nano RFC3339Date Kitchen Kitchen24 January February March April May June July August September October November
December Sunday Monday Tuesday Wednesday Thursday Friday Saturday Time Format Parse Unix
Command $usage $short $long Tasks Task name $type $id $after Name Print text Run cmd env stdout stderr stdin success
Read filename contents Create permissions Append Glob glob files Get Do method response body header trailer status
statusCode url request Post Put Delete Value Setenv Getenv Environ Clearenv
"""


def ranks(file: tree.File) -> dict[str, int] | None:
    """Return the place of every label in the order of v0.1.2, or None for a file that v0.1.2 does not know."""
    found = {label: rank for rank, label in enumerate(_PACKAGES.split())}
    for node in _in_order(file):
        if _is_later(node):
            return None
        for name in _mentioned(node):
            if name is not None:
                found.setdefault(name, len(found))
    return found


def fields(node: Node, places: dict[str, int] | None) -> list[tuple[str, Node]]:
    """Return a struct's regular fields in the order in which loops see them."""
    found = node.fields()
    if places is not None and node.literals > 1 and len(found) > 1:
        last = len(places)
        found.sort(key=lambda field: places.get(field[0], last))
    return found


def _in_order(file: tree.File) -> Iterator[tree.Node]:
    """Yield all nodes of a file from top to bottom; of a comprehension, the clauses before what they bring."""
    waiting: list[tree.Node] = list(reversed(file.declarations))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, tree.Comprehension):
            waiting += (node.value, *reversed(node.clauses))
        else:
            waiting += reversed(children(node))


def _mentioned(node: Any) -> tuple[str | None, ...]:
    kind = node.__class__
    if kind in (tree.Identifier, tree.Name, tree.Aliased, tree.Let):
        return (node.name,)
    if kind is tree.Selector:
        return (node.label,)
    if kind is tree.For:
        return node.key, node.value
    if kind is tree.Pattern:
        return (node.name,)
    return ()


def _is_later(node: Any) -> bool:
    """Return whether a piece of syntax came after v0.1.2."""
    kind = node.__class__
    if kind is tree.Let:
        return not node.old
    if kind is tree.ListLiteral:
        return any(part.__class__ is tree.Comprehension and not part.old for part in node.elements)
    if kind is tree.Field:
        return node.mark == "!" or node.label.__class__ is tree.Dynamic
    if kind in (tree.Name, tree.Identifier):
        return not getattr(node, "quoted", False) and (node.name[:1] == "#" or node.name[:2] == "_#")
    return kind is tree.Aliased
