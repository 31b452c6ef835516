//! Real components in the real engine, with a host that is played by the test.

mod calls;
mod hostile;
mod load;
mod outcome;
mod refusals;
mod support;
mod world;
