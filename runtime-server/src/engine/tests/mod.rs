//! The engine, run with hand-written bundles.

mod attacks;
mod calling;
mod double;
mod hostile;
mod limits;
mod loading;
mod node;
mod redis;
mod session;
mod surroundings;
mod web;
