//! Write Postern skills in Rust.
