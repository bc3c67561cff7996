"""Extract once, store, read by memory map: what frozen networks give for the items of a data set."""

from headstart.features.device import Setting, choose_device, choose_precision
from headstart.features.features import Features
from headstart.features.pooled import Extracted, extract_pooled, extract_pooled_of_many, pooled_key
from headstart.features.pooled_and_states import extract_pooled_and_states
from headstart.features.states import StoredStates, estimate_state_bytes, extract_states
from headstart.features.store import DEFAULT_LIMIT_BYTES, Entry, Key, Store, default_root
from headstart.features.timing import seconds_per_item

__all__ = [
    "DEFAULT_LIMIT_BYTES",
    "Entry",
    "Extracted",
    "Features",
    "Key",
    "Setting",
    "Store",
    "StoredStates",
    "choose_device",
    "choose_precision",
    "default_root",
    "estimate_state_bytes",
    "extract_pooled",
    "extract_pooled_and_states",
    "extract_pooled_of_many",
    "extract_states",
    "pooled_key",
    "seconds_per_item",
]
