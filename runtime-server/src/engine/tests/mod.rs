//! The engine, run with hand-written bundles.

mod calling;
mod double;
mod session;
mod surroundings;
