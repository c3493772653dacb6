"""The component: asks the rules, and passes on to the next store."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import agent_artifacts_store as next_store
from wit_world.imports import types, wasi_config_store

from defaults import Defaults, Refused


class Store(exports.Store):
    """Only `put` is changed. Errors of the next store are raised by it, and pass."""

    def put(self, key, body, options):
        try:
            defaults = Defaults(wasi_config_store.get_all())
            content = options.content
            content.content_type = defaults.content_type(key, content.content_type)
            options.metadata = defaults.with_metadata(options.metadata)
        except Refused as refused:
            code = types.ErrorCode.POLICY_DENIED
            raise Err(types.Error(code, str(refused), False, None)) from None
        return next_store.put(key, body, options)

    def get(self, key, options):
        return next_store.get(key, options)

    def head(self, key, options):
        return next_store.head(key, options)

    def delete(self, key, options):
        return next_store.delete(key, options)

    def list(self, options):
        return next_store.list(options)
