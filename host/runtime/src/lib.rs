//! Runs skills: wasmtime, limits and one fresh instance per call.
