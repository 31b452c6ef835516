//! Cedar rules and decisions for host calls, without I/O or clock.
