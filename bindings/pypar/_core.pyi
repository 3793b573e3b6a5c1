# SPDX-License-Identifier: MIT
# What src/*.c define, for type checkers. NumPy need not be there, nor mpi4py: without it
# its communicators are Any.
from collections.abc import Callable, Generator, Iterable, Sequence
from types import GenericAlias
from typing import (
    Any,
    Final,
    Generic,
    Literal,
    NoReturn,
    Protocol,
    SupportsIndex,
    TypeAlias,
    TypeVar,
    final,
    overload,
)

from mpi4py import MPI
from typing_extensions import Buffer

from .grid import Grid

# NumPy's arrays, by what they have in common.
class _IsArray(Protocol):
    @property
    def dtype(self) -> Any: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_Array = TypeVar("_Array", bound=_IsArray)
_Memory: TypeAlias = _IsArray | Buffer
_Writable = TypeVar("_Writable", bound=_Memory)
_Parted = TypeVar("_Parted", bound=_IsArray | Sequence[Any])
_Request = TypeVar("_Request", bound=Request[Any])
_Counts: TypeAlias = Iterable[SupportsIndex]
_Op: TypeAlias = SupportsIndex | Callable[[Any, Any], Any]

__version__: Final[str]
world: Final[Comm]

MAX: Final[int]
MIN: Final[int]
SUM: Final[int]
PROD: Final[int]
LAND: Final[int]
BAND: Final[int]
LOR: Final[int]
BOR: Final[int]
LXOR: Final[int]
BXOR: Final[int]
MAXLOC: Final[int]
MINLOC: Final[int]
any_source: Final[int]
any_tag: Final[int]
default_tag: Final[int]
max_tag: Final[int]

class Error(RuntimeError): ...
class TypeMismatch(Error, TypeError): ...
class SizeMismatch(Error, ValueError): ...
class _Interrupted(BaseException): ...

@final
class Status:
    @property
    def source(self) -> int: ...
    @property
    def tag(self) -> int: ...
    @property
    def error(self) -> int: ...
    @property
    def length(self) -> int: ...
    @property
    def size(self) -> int: ...
    def bytes(self) -> int: ...

# Of what it gives: a Request[None] is a send's.
@final
class Request(Generic[_T_co]):
    @property
    def done(self) -> bool: ...
    @property
    def result(self) -> _T_co: ...
    @property
    def status(self) -> Status | None: ...
    def wait(self, timeout: float | None = None) -> _T_co: ...
    def test(self) -> bool: ...
    def cancel(self) -> bool: ...
    def __await__(self) -> Generator[Any, None, _T_co]: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def _set(self) -> None: ...

# What a rank receives is its sender's choice, so it is Any, unless it fills a buffer;
# and so it is where a rank's own argument doesn't tell, that of a broadcast, say.
# A buffer or counts that stand behind arguments with defaults choose the result's type by
# name; an overload more takes them by position.
@final
class Comm:
    @property
    def rank(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def node(self) -> Comm: ...
    def send(self, obj: object, dest: SupportsIndex, tag: SupportsIndex = 1) -> None: ...
    @overload
    def receive(
        self,
        source: SupportsIndex = -1,
        tag: SupportsIndex = 1,
        buffer: None = None,
        return_status: Literal[False] = False,
    ) -> Any: ...
    @overload
    def receive(
        self,
        source: SupportsIndex = -1,
        tag: SupportsIndex = 1,
        buffer: None = None,
        return_status: Literal[True] = ...,
    ) -> tuple[Any, Status]: ...
    @overload
    def receive(
        self,
        source: SupportsIndex = -1,
        tag: SupportsIndex = 1,
        buffer: _Writable = ...,
        return_status: Literal[False] = False,
    ) -> _Writable: ...
    @overload
    def receive(
        self,
        source: SupportsIndex = -1,
        tag: SupportsIndex = 1,
        buffer: _Writable = ...,
        return_status: Literal[True] = ...,
    ) -> tuple[_Writable, Status]: ...
    @overload
    def receive(
        self,
        source: SupportsIndex = -1,
        tag: SupportsIndex = 1,
        buffer: object = None,
        return_status: bool = False,
    ) -> Any: ...
    def isend(
        self,
        obj: object,
        dest: SupportsIndex,
        tag: SupportsIndex = 1,
        copy: bool = False,
    ) -> Request[None]: ...
    @overload
    def ireceive(
        self, source: SupportsIndex = -1, tag: SupportsIndex = 1, buffer: None = None
    ) -> Request[Any]: ...
    @overload
    def ireceive(
        self, source: SupportsIndex = -1, tag: SupportsIndex = 1, buffer: _Writable = ...
    ) -> Request[_Writable]: ...
    @overload
    def ireceive(
        self, source: SupportsIndex = -1, tag: SupportsIndex = 1, buffer: object = None
    ) -> Request[Any]: ...
    def probe(self, source: SupportsIndex = -1, tag: SupportsIndex = 1) -> Status: ...
    def iprobe(
        self, source: SupportsIndex = -1, tag: SupportsIndex = 1
    ) -> Status | None: ...
    def barrier(self) -> None: ...
    @overload
    def broadcast(self, obj: _Array, root: SupportsIndex = 0) -> _Array: ...
    @overload
    def broadcast(self, obj: object = None, root: SupportsIndex = 0) -> Any: ...
    @overload
    def scatter(
        self,
        objs: None = None,
        root: SupportsIndex = 0,
        buffer: None = None,
        counts: _Counts | None = None,
    ) -> Any: ...
    @overload
    def scatter(
        self,
        objs: Iterable[_T] | None,
        root: SupportsIndex = 0,
        buffer: None = None,
        counts: None = None,
    ) -> _T: ...
    @overload
    def scatter(
        self,
        objs: _Parted | None,
        root: SupportsIndex = 0,
        buffer: None = None,
        *,
        counts: _Counts,
    ) -> _Parted: ...
    @overload
    def scatter(
        self,
        objs: Iterable[object] | None = None,
        root: SupportsIndex = 0,
        *,
        buffer: _Writable,
        counts: _Counts | None = None,
    ) -> _Writable: ...
    @overload
    def scatter(
        self,
        objs: Iterable[object] | None = None,
        root: SupportsIndex = 0,
        buffer: _Memory | None = None,
        counts: _Counts | None = None,
    ) -> Any: ...
    @overload
    def gather(
        self, obj: _T, root: SupportsIndex = 0, buffer: None = None
    ) -> list[_T] | None: ...
    @overload
    def gather(
        self, obj: object, root: SupportsIndex = 0, *, buffer: _Writable
    ) -> _Writable | None: ...
    @overload
    def gather(
        self, obj: object, root: SupportsIndex, buffer: _Writable
    ) -> _Writable | None: ...
    @overload
    def reduce(
        self,
        obj: _Array,
        op: SupportsIndex,
        root: SupportsIndex = 0,
        buffer: None = None,
    ) -> _Array | None: ...
    @overload
    def reduce(
        self,
        obj: _T,
        op: Callable[[_T, _T], _T],
        root: SupportsIndex = 0,
        buffer: None = None,
    ) -> _T | None: ...
    @overload
    def reduce(
        self, obj: object, op: _Op, root: SupportsIndex = 0, *, buffer: _Writable
    ) -> _Writable | None: ...
    @overload
    def reduce(
        self, obj: object, op: _Op, root: SupportsIndex, buffer: _Writable
    ) -> _Writable | None: ...
    @overload
    def reduce(
        self,
        obj: object,
        op: SupportsIndex,
        root: SupportsIndex = 0,
        buffer: None = None,
    ) -> Any: ...
    @overload
    def allreduce(
        self, obj: _Array, op: SupportsIndex, buffer: None = None
    ) -> _Array: ...
    @overload
    def allreduce(
        self, obj: _T, op: Callable[[_T, _T], _T], buffer: None = None
    ) -> _T: ...
    @overload
    def allreduce(self, obj: object, op: _Op, buffer: _Writable) -> _Writable: ...
    @overload
    def allreduce(self, obj: object, op: SupportsIndex, buffer: None = None) -> Any: ...
    @overload
    def scan(self, obj: _Array, op: SupportsIndex, buffer: None = None) -> _Array: ...
    @overload
    def scan(self, obj: _T, op: Callable[[_T, _T], _T], buffer: None = None) -> _T: ...
    @overload
    def scan(self, obj: object, op: _Op, buffer: _Writable) -> _Writable: ...
    @overload
    def scan(self, obj: object, op: SupportsIndex, buffer: None = None) -> Any: ...
    @overload
    def exscan(
        self, obj: _Array, op: SupportsIndex, buffer: None = None
    ) -> _Array | None: ...
    @overload
    def exscan(
        self, obj: _T, op: Callable[[_T, _T], _T], buffer: None = None
    ) -> _T | None: ...
    @overload
    def exscan(self, obj: object, op: _Op, buffer: _Writable) -> _Writable | None: ...
    @overload
    def exscan(self, obj: object, op: SupportsIndex, buffer: None = None) -> Any: ...
    @overload
    def reduce_scatter(
        self,
        obj: _Array,
        op: SupportsIndex | Callable[[_Array, _Array], _Array],
        counts: _Counts | None = None,
        buffer: None = None,
    ) -> _Array: ...
    @overload
    def reduce_scatter(
        self,
        obj: Iterable[_T],
        op: Callable[[_T, _T], _T],
        counts: None = None,
        buffer: None = None,
    ) -> _T: ...
    @overload
    def reduce_scatter(
        self,
        obj: Iterable[object],
        op: _Op,
        counts: _Counts | None = None,
        *,
        buffer: _Writable,
    ) -> _Writable: ...
    @overload
    def reduce_scatter(
        self,
        obj: Iterable[object],
        op: _Op,
        counts: _Counts | None = None,
        buffer: _Memory | None = None,
    ) -> Any: ...
    @overload
    def allgather(self, obj: _T, buffer: None = None) -> list[_T]: ...
    @overload
    def allgather(self, obj: object, buffer: _Writable) -> _Writable: ...
    @overload
    def alltoall(
        self, objs: Iterable[_T], buffer: None = None, counts: None = None
    ) -> list[_T]: ...
    @overload
    def alltoall(
        self, objs: _Parted, buffer: None = None, *, counts: _Counts
    ) -> list[_Parted]: ...
    @overload
    def alltoall(
        self,
        objs: Iterable[object],
        buffer: _Writable,
        counts: _Counts | None = None,
    ) -> _Writable: ...
    def ibarrier(self) -> Request[None]: ...
    @overload
    def ibroadcast(self, obj: _Array, root: SupportsIndex = 0) -> Request[_Array]: ...
    @overload
    def ibroadcast(self, obj: object = None, root: SupportsIndex = 0) -> Request[Any]: ...
    @overload
    def iscatter(
        self,
        objs: None = None,
        root: SupportsIndex = 0,
        buffer: None = None,
        counts: _Counts | None = None,
    ) -> Request[Any]: ...
    @overload
    def iscatter(
        self,
        objs: Iterable[_T] | None,
        root: SupportsIndex = 0,
        buffer: None = None,
        counts: None = None,
    ) -> Request[_T]: ...
    @overload
    def iscatter(
        self,
        objs: _Parted | None,
        root: SupportsIndex = 0,
        buffer: None = None,
        *,
        counts: _Counts,
    ) -> Request[_Parted]: ...
    @overload
    def iscatter(
        self,
        objs: Iterable[object] | None = None,
        root: SupportsIndex = 0,
        *,
        buffer: _Writable,
        counts: _Counts | None = None,
    ) -> Request[_Writable]: ...
    @overload
    def iscatter(
        self,
        objs: Iterable[object] | None = None,
        root: SupportsIndex = 0,
        buffer: _Memory | None = None,
        counts: _Counts | None = None,
    ) -> Request[Any]: ...
    @overload
    def igather(
        self, obj: _T, root: SupportsIndex = 0, buffer: None = None
    ) -> Request[list[_T] | None]: ...
    @overload
    def igather(
        self, obj: object, root: SupportsIndex = 0, *, buffer: _Writable
    ) -> Request[_Writable | None]: ...
    @overload
    def igather(
        self, obj: object, root: SupportsIndex, buffer: _Writable
    ) -> Request[_Writable | None]: ...
    @overload
    def ireduce(
        self,
        obj: _Array,
        op: SupportsIndex,
        root: SupportsIndex = 0,
        buffer: None = None,
    ) -> Request[_Array | None]: ...
    @overload
    def ireduce(
        self,
        obj: _T,
        op: Callable[[_T, _T], _T],
        root: SupportsIndex = 0,
        buffer: None = None,
    ) -> Request[_T | None]: ...
    @overload
    def ireduce(
        self, obj: object, op: _Op, root: SupportsIndex = 0, *, buffer: _Writable
    ) -> Request[_Writable | None]: ...
    @overload
    def ireduce(
        self, obj: object, op: _Op, root: SupportsIndex, buffer: _Writable
    ) -> Request[_Writable | None]: ...
    @overload
    def ireduce(
        self,
        obj: object,
        op: SupportsIndex,
        root: SupportsIndex = 0,
        buffer: None = None,
    ) -> Request[Any]: ...
    @overload
    def iallreduce(
        self, obj: _Array, op: SupportsIndex, buffer: None = None
    ) -> Request[_Array]: ...
    @overload
    def iallreduce(
        self, obj: _T, op: Callable[[_T, _T], _T], buffer: None = None
    ) -> Request[_T]: ...
    @overload
    def iallreduce(
        self, obj: object, op: _Op, buffer: _Writable
    ) -> Request[_Writable]: ...
    @overload
    def iallreduce(
        self, obj: object, op: SupportsIndex, buffer: None = None
    ) -> Request[Any]: ...
    @overload
    def iallgather(self, obj: _T, buffer: None = None) -> Request[list[_T]]: ...
    @overload
    def iallgather(self, obj: object, buffer: _Writable) -> Request[_Writable]: ...
    @overload
    def ialltoall(
        self, objs: Iterable[_T], buffer: None = None, counts: None = None
    ) -> Request[list[_T]]: ...
    @overload
    def ialltoall(
        self, objs: _Parted, buffer: None = None, *, counts: _Counts
    ) -> Request[list[_Parted]]: ...
    @overload
    def ialltoall(
        self,
        objs: Iterable[object],
        buffer: _Writable,
        counts: _Counts | None = None,
    ) -> Request[_Writable]: ...
    @overload
    def split(self, color: SupportsIndex, key: SupportsIndex | None = None) -> Comm: ...
    @overload
    def split(self, color: None, key: SupportsIndex | None = None) -> None: ...
    def duplicate(self) -> Comm: ...
    def free(self) -> None: ...
    def grid(
        self,
        dims: SupportsIndex | Iterable[SupportsIndex] | None = None,
        periodic: bool | Iterable[bool] = False,
    ) -> Grid: ...
    def to_mpi4py(self) -> MPI.Intracomm: ...
    @staticmethod
    def from_mpi4py(comm: MPI.Comm) -> Comm: ...
    def _to_fortran(self) -> int: ...
    def _report(self, form: SupportsIndex, /) -> str | None: ...

@final
class Farm:
    def __new__(cls, comm: Comm) -> Farm: ...
    @property
    def rank(self) -> int: ...
    @property
    def size(self) -> int: ...
    def share(self, obj: object, /) -> int: ...
    def forget(self, shared: int, /) -> None: ...
    def channel(self, ordered: bool, /) -> int: ...
    def close_channel(self, channel: int, interrupt: bool = False) -> None: ...
    def submit(
        self,
        channel: int,
        shared: int,
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        copied: bool = False,
    ) -> int: ...
    def submit_many(
        self,
        channel: int,
        shared: int,
        items: list[Any],
        star: bool = False,
        copied: bool = False,
    ) -> int: ...
    def cancel(self, task: int, /) -> bool: ...
    def next(
        self, channel: int, timeout: float | None = None
    ) -> tuple[int, bool, Any] | None: ...
    def serve(self, on_error: Callable[[BaseException], Any], /) -> None: ...
    def give_up(self, thread: int, /) -> bool: ...
    def stop(self, discard: bool = False) -> None: ...
    def close(self) -> None: ...

def rank() -> int: ...
def size() -> int: ...
def get_processor_name() -> str: ...
def cpus() -> int: ...
def _place(bind: str | None, threads: SupportsIndex | None, /) -> None: ...
def time() -> float: ...
def initialized() -> bool: ...
def finalize() -> None: ...
def abort(code: SupportsIndex = 1, text: str | None = None) -> NoReturn: ...
def barrier() -> None: ...
def send(
    x: object,
    destination: SupportsIndex,
    use_buffer: object = False,
    vanilla: object = False,
    tag: SupportsIndex = 1,
    bypass: object = False,
) -> None: ...
@overload
def receive(
    source: SupportsIndex,
    buffer: None = None,
    vanilla: object = False,
    tag: SupportsIndex = 1,
    return_status: Literal[False] = False,
    bypass: object = False,
) -> Any: ...
@overload
def receive(
    source: SupportsIndex,
    buffer: None = None,
    vanilla: object = False,
    tag: SupportsIndex = 1,
    return_status: Literal[True] = ...,
    bypass: object = False,
) -> tuple[Any, Status]: ...
@overload
def receive(
    source: SupportsIndex,
    buffer: _Writable = ...,
    vanilla: Literal[False] = False,
    tag: SupportsIndex = 1,
    return_status: Literal[False] = False,
    bypass: object = False,
) -> _Writable: ...
@overload
def receive(
    source: SupportsIndex,
    buffer: _Writable = ...,
    vanilla: Literal[False] = False,
    tag: SupportsIndex = 1,
    return_status: Literal[True] = ...,
    bypass: object = False,
) -> tuple[_Writable, Status]: ...
@overload
def receive(
    source: SupportsIndex,
    buffer: object = None,
    vanilla: object = False,
    tag: SupportsIndex = 1,
    return_status: object = False,
    bypass: object = False,
) -> Any: ...
@overload
def broadcast(
    buffer: _Array,
    root: SupportsIndex = 0,
    vanilla: object = False,
    bypass: object = False,
) -> _Array: ...
@overload
def broadcast(
    buffer: object,
    root: SupportsIndex = 0,
    vanilla: object = False,
    bypass: object = False,
) -> Any: ...
def wait_some(
    requests: Iterable[_Request], timeout: float | None = None
) -> list[_Request]: ...
def _abort_later(code: SupportsIndex, text: str | None, seconds: float, /) -> None: ...
def _crash_after_python() -> None: ...
def _check_task() -> None: ...
def _detach() -> None: ...
def _task_signal() -> int: ...
def _say(text: str, /) -> None: ...
def _set_pickler(dumps: Callable[..., bytes], /) -> None: ...
def _event() -> Request[None]: ...
def _from_fortran(handle: SupportsIndex, /) -> Comm: ...
