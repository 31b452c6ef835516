//! The Postern host: channels, pipeline, gate, registry, console and command line.
