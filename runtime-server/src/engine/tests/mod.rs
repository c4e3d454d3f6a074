//! The engine, run with hand-written bundles.

mod attacks;
mod calling;
mod double;
mod fetch;
mod hostile;
mod limits;
mod loading;
mod node;
mod places;
mod redis;
mod session;
mod surroundings;
mod web;
