"""The server: keeps the open documents and hands each request to the module that answers it.

A document that cannot be read, or a bug met while reading it, is told in the log and never ends the server.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol.language_server import LanguageServerProtocol, lsp_method
from pygls.uris import to_fs_path

from dispatchfile import __version__, config
from dispatchfile.errors import EvaluationError, UsageError
from dispatchfile.lint.settings import DEFAULT
from dispatchfile.lsp import actions, completion, definition, hover, symbols
from dispatchfile.lsp.diagnostics import diagnostics
from dispatchfile.lsp.document import Document, changed
from dispatchfile.record import replace
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from dispatchfile.lint.settings import Settings

log = logging.getLogger("dispatchfile.lsp")
# A request that is refused with a reason is told to the user; its traceback is no news for the log.
logging.getLogger("pygls.protocol.json_rpc").addFilter(
    lambda record: not (record.exc_info and isinstance(record.exc_info[1], JsonRpcException))
)

# Seconds without a keystroke before a document is looked at again, at least; and how often the last look's time.
_PAUSE, _PATIENCE = 0.15, 1


class _Protocol(LanguageServerProtocol):
    """Leaves the texts to the server: pygls takes form feeds and U+2028 for line ends, which the protocol does not.

    And answers requests that make no sense, which pygls only logs: the client would wait for ever.
    """

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Return a message as its type, and refuse a request whose parameters are wrong before raising so."""
        try:
            return super().structure_message(data)
        except JsonRpcInvalidParams as error:
            if "method" in data and "id" in data:
                self._send_response(data["id"], error=error.to_response_error())
            raise

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(
        self, params: types.DidChangeTextDocumentParams
    ) -> Generator[Any, Any, None]:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None


class Server(LanguageServer):
    """The documents that are open, and the looks at them that are due."""

    def __init__(self) -> None:
        super().__init__("dispatchfile", __version__, protocol_cls=_Protocol)
        self.documents: dict[str, Document] = {}
        self.due: dict[str, asyncio.TimerHandle] = {}
        self.last_look = 0.0
        self.complaint = ""
        self.is_shut_down = False

    @property
    def encoding(self) -> str:
        """Return the encoding that columns count the units of."""
        return str(self.server_capabilities.position_encoding or types.PositionEncodingKind.Utf16.value)

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Write an error to the log; the user of an editor can do nothing about it."""
        if source is not FeatureRequestError:
            log.error("%s", error, exc_info=error)

    def settings(self, path: str) -> Settings:
        """Return the settings of the project around a file; those that cannot be read are told once."""
        if "\0" in path:
            return DEFAULT
        try:
            found = config.lint_settings(config.settings(str(Path(path).parent)))
        except UsageError as error:
            if self.complaint != error.message:
                self.complaint = error.message
                self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, error.message))
            return DEFAULT
        self.complaint = ""
        return found

    def keep(self, uri: str, version: int | None, text: str) -> Document:
        """Return a document in a new version, which takes the place of the last one."""
        before = self.documents.get(uri)
        path = to_fs_path(uri) or uri
        known = before.known if before is not None else None
        if before is not None and "subject" in vars(before):
            known = before.reading.value or known
        document = Document(uri, version, Source(path, text), self.settings(path), self.encoding, known)
        self.documents[uri] = document
        return document

    def look_soon(self, uri: str) -> None:
        """Have a document looked at once its writer pauses."""
        self.cancel(uri)
        pause = max(_PAUSE, _PATIENCE * self.last_look)
        self.due[uri] = asyncio.get_running_loop().call_later(pause, self.look, uri)

    def cancel(self, uri: str) -> None:
        """Forget the look at a document that is due."""
        waiting = self.due.pop(uri, None)
        if waiting is not None:
            waiting.cancel()

    def look(self, uri: str) -> None:
        """Publish what lint says about the version of a document that is open now."""
        self.cancel(uri)
        document = self.documents.get(uri)
        if document is None:
            return
        started = time.monotonic()
        try:
            found = diagnostics(document)
        except Exception as error:
            log.error("%s cannot be looked at: %s", uri, error, exc_info=error)
            return
        self.last_look = time.monotonic() - started
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, found, version=document.version)
        )


def create() -> Server:
    """Return a server that knows what to answer, not yet connected."""
    server = Server()
    for method, handler, options in _FEATURES:
        server.feature(method, options)(handler)
    return server


# Documents


def opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    """Keep a document, and look at it at once."""
    told = params.text_document
    server.keep(told.uri, told.version, told.text)
    server.look(told.uri)


def edited(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Keep a new version of a document."""
    told = params.text_document
    before = server.documents.get(told.uri)
    if before is not None:
        server.keep(told.uri, told.version, changed(before.text, params.content_changes, server.encoding))
        server.look_soon(told.uri)


def closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    """Forget a document, and take back what was said about it."""
    uri = params.text_document.uri
    server.cancel(uri)
    server.documents.pop(uri, None)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def settings_changed(
    server: Server, _params: types.DidChangeWatchedFilesParams | types.DidSaveTextDocumentParams
) -> None:
    """Look at every document again with the settings that hold now."""
    for uri, document in list(server.documents.items()):
        made = server.settings(document.source.name)
        if made != document.settings:
            server.documents[uri] = replace(document, settings=made)
            server.look(uri)


async def initialized(server: Server, _params: types.InitializedParams) -> None:
    """Ask the client, when it can, to tell of changes of settings files."""
    workspace = server.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace is not None else None
    if watched is None or not watched.dynamic_registration:
        return
    watcher = types.FileSystemWatcher(f"**/{config.PROJECT_FILE}")
    options = types.DidChangeWatchedFilesRegistrationOptions([watcher])
    registration = types.Registration("settings", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    await server.client_register_capability_async(types.RegistrationParams([registration]))


def shut_down(server: Server, _params: object = None) -> None:
    """Remember that the client has said so before it says `exit`."""
    server.is_shut_down = True


# Requests


def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    at = _place(server, params)
    return hover.hover(*at) if at is not None else None


def _complete(server: Server, params: types.CompletionParams) -> list[types.CompletionItem]:
    at = _place(server, params)
    return completion.completions(*at) if at is not None else []


def _define(server: Server, params: types.DefinitionParams) -> list[types.Location]:
    at = _place(server, params)
    return definition.definitions(*at) if at is not None else []


def _refer(server: Server, params: types.ReferenceParams) -> list[types.Location]:
    at = _place(server, params)
    return definition.uses(*at, declared=params.context.include_declaration) if at is not None else []


def _prepare_rename(
    server: Server, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    at = _place(server, params)
    return definition.renameable(*at) if at is not None else None


def _rename(server: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    at = _place(server, params)
    if at is None:
        return None
    done = definition.renamed(*at, params.new_name)
    if isinstance(done, str):
        raise JsonRpcException(done, types.LSPErrorCodes.RequestFailed)
    return done


def _act(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    document = server.documents.get(params.text_document.uri)
    return actions.code_actions(document, params.range, params.context.only) if document is not None else []


def _format(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    document = server.documents.get(params.text_document.uri)
    if document is None:
        return None
    try:
        return actions.formatting(document)
    except EvaluationError as error:
        log.info("%s is not formatted: %s", document.uri, error.message)
        return None


def _outline(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    document = server.documents.get(params.text_document.uri)
    return symbols.symbols(document) if document is not None else []


def _place(server: Server, params: Any) -> tuple[Document, int] | None:
    """Return the document and the offset that a request is about, or None when the document is not open."""
    document = server.documents.get(params.text_document.uri)
    return (document, document.lines.offset(params.position)) if document is not None else None


_FEATURES: tuple[tuple[str, Any, Any], ...] = (
    (types.INITIALIZED, initialized, None),
    (types.SHUTDOWN, shut_down, None),
    (types.TEXT_DOCUMENT_DID_OPEN, opened, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, edited, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, closed, None),
    (types.TEXT_DOCUMENT_DID_SAVE, settings_changed, None),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, settings_changed, None),
    (types.TEXT_DOCUMENT_HOVER, _hover, None),
    (types.TEXT_DOCUMENT_COMPLETION, _complete, types.CompletionOptions(['"', "'", "(", ".", " "])),
    (types.TEXT_DOCUMENT_DEFINITION, _define, None),
    (types.TEXT_DOCUMENT_REFERENCES, _refer, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, _prepare_rename, None),
    (types.TEXT_DOCUMENT_RENAME, _rename, types.RenameOptions(prepare_provider=True)),
    (types.TEXT_DOCUMENT_CODE_ACTION, _act, types.CodeActionOptions(code_action_kinds=list(actions.KINDS))),
    (types.TEXT_DOCUMENT_FORMATTING, _format, None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, _outline, None),
)
