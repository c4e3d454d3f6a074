//! Tests of the compiler's rooms through their public doors, in one binary.

mod app;
mod apps;
mod cache;
mod check;
mod cli;
mod config;
mod errors;
mod faulty_disk;
mod maps;
mod new;
mod node_engine;
mod preprocess;
mod publishing;
mod report;
mod run;
mod same_bytes;
mod served;
mod session;
mod shaking;
mod style_limits;
mod styles;
mod tsconfig;
mod types;
mod views;
mod watch;
