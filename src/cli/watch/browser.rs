use std::process::{Command, Stdio};

/// Opens an address in the person's browser. Where there is none, the address stands on the screen.
pub(super) fn open(url: &str) {
    let program = std::env::var("BROWSER").ok().filter(|program| !program.is_empty());
    let program = program.unwrap_or_else(|| if cfg!(target_os = "macos") { "open" } else { "xdg-open" }.to_owned());
    let started =
        Command::new(program).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Ok(mut browser) = started {
        // It may live as long as it likes; somebody has to take note of its end.
        std::thread::spawn(move || browser.wait());
    }
}
