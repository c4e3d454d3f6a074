//! Tests of the compiler's rooms through their public doors, in one binary.

mod style_limits;
mod styles;
mod views;
