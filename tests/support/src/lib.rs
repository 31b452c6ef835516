//! Stand-ins and helpers for tests and the demo.
