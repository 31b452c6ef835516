"""In a component: the generated bindings behind the types of this library."""

from importlib.util import find_spec

IN_COMPONENT = find_spec("wit_world") is not None
"""Whether there is a real host. Otherwise calls go to `postern.fake`."""
