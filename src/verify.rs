//! Whether one tree of bytes gives one output: the app is built again under other circumstances, and every byte compared.

mod backwards;
mod copy;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use tempfile::TempDir;

use crate::{
    disk::Disk,
    pipeline::{self, Purpose, Request},
    session::Session,
};
use backwards::Backwards;

/// Something that must not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circumstance {
    /// Another folder, whose name has a space in it.
    Path,
    /// Another language of the system.
    Locale,
    /// Another time zone.
    TimeZone,
    /// Files that only their owner may read.
    Umask,
    /// One thread.
    OneThread,
    /// Many threads.
    ManyThreads,
    /// Nothing remembered.
    NoCache,
    /// Everything remembered.
    Cache,
    /// Folders that list their files in another order.
    Order,
}

impl Circumstance {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Path,
        Self::Locale,
        Self::TimeZone,
        Self::Umask,
        Self::OneThread,
        Self::ManyThreads,
        Self::NoCache,
        Self::Cache,
        Self::Order,
    ];

    /// As it is told.
    pub fn about(self) -> &'static str {
        match self {
            Self::Path => "in another folder",
            Self::Locale => "with another locale",
            Self::TimeZone => "in another time zone",
            Self::Umask => "with another umask",
            Self::OneThread => "on one thread",
            Self::ManyThreads => "on many threads",
            Self::NoCache => "without a cache",
            Self::Cache => "from the cache",
            Self::Order => "with folders in another order",
        }
    }
}

/// A build that came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Different {
    /// Under which circumstances.
    pub circumstances: Vec<Circumstance>,
    /// What differs, each file in a sentence.
    pub files: Vec<String>,
}

/// Why it could not be seen.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A build could not run, or found errors that the first did not.
    #[error("the build {about} failed: {said}")]
    Failed {
        /// Which.
        about: String,
        /// What it said.
        said: String,
    },
    /// The disk.
    #[error("cannot {doing} `{}`: {error}", path.display())]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// To which path.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VerifyError {
    let path = path.to_owned();
    move |error| VerifyError::Disk { doing, path, error }
}

/// Builds the app as it is, then under all circumstances at once, and, when that is different, under each alone to name
/// those that matter. `program` is `ssbuild` itself. Nothing is written to the app's folder.
pub fn verify(disk: &Arc<dyn Disk>, request: &Request, program: &Path) -> Result<Vec<Different>, VerifyError> {
    let work = TempDir::new().map_err(failed("make", &std::env::temp_dir()))?;
    let builder = Builder { disk, request, program, work: work.path() };
    let plain = builder.build(&[])?;
    // The order of folders is another disk in this process; all else is another process.
    let elsewhere: Vec<Circumstance> = Circumstance::ALL
        .into_iter()
        .filter(|one| !matches!(one, Circumstance::Order | Circumstance::Cache | Circumstance::ManyThreads))
        .collect();
    let together = [
        elsewhere,
        vec![Circumstance::Path, Circumstance::ManyThreads, Circumstance::Cache],
        vec![Circumstance::Order],
    ];
    let mut different = Vec::new();
    for circumstances in together {
        let files = differences(&plain, &builder.build(&circumstances)?);
        if files.is_empty() {
            continue;
        }
        let mut alone = Vec::new();
        for one in circumstances.iter().filter(|_| circumstances.len() > 1) {
            let files = differences(&plain, &builder.build(&[*one])?);
            if !files.is_empty() {
                alone.push(Different { circumstances: vec![*one], files });
            }
        }
        // Chance is no circumstance: then none alone may show it.
        different.extend(if alone.is_empty() { vec![Different { circumstances, files }] } else { alone });
    }
    Ok(different)
}

type Files = BTreeMap<String, Vec<u8>>;

struct Builder<'a> {
    disk: &'a Arc<dyn Disk>,
    request: &'a Request,
    program: &'a Path,
    work: &'a Path,
}

impl Builder<'_> {
    fn build(&self, circumstances: &[Circumstance]) -> Result<Files, VerifyError> {
        let folder = TempDir::new_in(self.work).map_err(failed("make", self.work))?;
        let out = folder.path().join("out");
        let root = match circumstances.contains(&Circumstance::Path) || circumstances.contains(&Circumstance::Cache) {
            true => copy::app(&self.request.root, &folder.path().join("some where else"))?,
            false => self.request.root.clone(),
        };
        if circumstances == [Circumstance::Order] {
            self.backwards(&out)?;
        } else {
            // With a cache the first build fills it.
            for _ in 0..if circumstances.contains(&Circumstance::Cache) { 2 } else { 1 } {
                self.run(circumstances, &root, &out)?;
            }
        }
        read(&out)
    }

    fn backwards(&self, out: &Path) -> Result<(), VerifyError> {
        let disk: Arc<dyn Disk> = Arc::new(Backwards(Arc::clone(self.disk)));
        let request = Request { purpose: Purpose::Publish(out.to_owned()), ..self.request.clone() };
        let about = || Circumstance::Order.about().to_owned();
        let outcome = pipeline::build(&disk, &request, &Session::once())
            .map_err(|error| VerifyError::Failed { about: about(), said: error.to_string() })?;
        match outcome.manifest {
            Some(_) => Ok(()),
            None => Err(VerifyError::Failed { about: about(), said: outcome.report.to_text(false) }),
        }
    }

    fn run(&self, circumstances: &[Circumstance], root: &Path, out: &Path) -> Result<(), VerifyError> {
        // The shell is only there for the umask.
        let mut command = Command::new("/bin/sh");
        let umask = if circumstances.contains(&Circumstance::Umask) { "077" } else { "022" };
        command.arg("-c").arg(format!("umask {umask}; exec \"$0\" \"$@\"")).arg(self.program);
        command.arg("build").arg(root).args(["--quiet", "--env", &self.request.env, "--out"]).arg(out);
        if !circumstances.contains(&Circumstance::Cache) {
            command.arg("--no-cache");
        }
        command.stdin(Stdio::null());
        for circumstance in circumstances {
            match circumstance {
                Circumstance::Locale => command.envs([("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")]),
                Circumstance::TimeZone => command.env("TZ", "Pacific/Kiritimati"),
                Circumstance::OneThread => command.env("RAYON_NUM_THREADS", "1"),
                Circumstance::ManyThreads => command.env("RAYON_NUM_THREADS", "13"),
                _ => &mut command,
            };
        }
        let output = command.output().map_err(failed("start", self.program))?;
        if output.status.success() {
            return Ok(());
        }
        let about: Vec<&str> = circumstances.iter().map(|one| one.about()).collect();
        let about = if about.is_empty() { "of the app as it is".to_owned() } else { about.join(", ") };
        Err(VerifyError::Failed { about, said: String::from_utf8_lossy(&output.stderr).into_owned() })
    }
}

/// Every file of an output folder but its lock.
fn read(out: &Path) -> Result<Files, VerifyError> {
    let mut files = Files::new();
    let mut folders = vec![out.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(failed("list", &folder))? {
            let path = entry.map_err(failed("list", &folder))?.path();
            let name = path.strip_prefix(out).expect("it is below").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != ".lock" {
                files.insert(name, fs::read(&path).map_err(failed("read", &path))?);
            }
        }
    }
    Ok(files)
}

/// Sentences on what is different. A file whose name differs by its fingerprint only is compared with its other self.
fn differences(plain: &Files, other: &Files) -> Vec<String> {
    let by_stem = |files: &Files| -> BTreeMap<String, (String, Vec<u8>)> {
        let stems = files.iter().map(|(name, bytes)| (without_hash(name), (name.clone(), bytes.clone())));
        stems.collect()
    };
    if plain == other {
        return Vec::new();
    }
    let (plain, other) = (by_stem(plain), by_stem(other));
    let names: std::collections::BTreeSet<&String> = plain.keys().chain(other.keys()).collect();
    let sentences = names.into_iter().filter_map(|stem| match (plain.get(stem), other.get(stem)) {
        (Some((name, one)), Some((_, two))) if one != two => Some(format!("`{name}`: {}", first(one, two))),
        (Some((name, _)), None) => Some(format!("`{name}` is missing")),
        (None, Some((name, _))) => Some(format!("`{name}` is there in addition")),
        _ => None,
    });
    sentences.collect()
}

/// The name with every fingerprint and id as `*`.
fn without_hash(name: &str) -> String {
    let is_hash = |part: &str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = name.split_inclusive(['/', '-', '.']).map(|part| {
        let bare = part.trim_end_matches(['/', '-', '.']);
        if is_hash(bare) { format!("*{}", &part[bare.len()..]) } else { part.to_owned() }
    });
    parts.collect()
}

/// Where two texts part, and how each goes on.
fn first(one: &[u8], two: &[u8]) -> String {
    let at = one.iter().zip(two).position(|(a, b)| a != b).unwrap_or(one.len().min(two.len()));
    let around = |bytes: &[u8]| {
        let (from, to) = (at.saturating_sub(20).min(bytes.len()), (at + 30).min(bytes.len()));
        String::from_utf8_lossy(&bytes[from..to]).escape_debug().to_string()
    };
    format!("byte {at} is the first that differs, in `{}` instead of `{}`", around(two), around(one))
}

#[cfg(test)]
mod tests {
    use super::{Files, differences, without_hash};

    #[test]
    fn differences_are_told_by_file_and_byte() {
        assert_eq!(without_hash("public/assets/app-5f3c9a1be2d40718.js.br"), "public/assets/app-*.js.br");
        assert_eq!(without_hash("builds/5f3c9a1be2d40718/server/server.js"), "builds/*/server/server.js");
        let files = |list: &[(&str, &str)]| -> Files {
            list.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
        };
        let plain = files(&[("assets/a-0000000000000001.js", "same, then one"), ("b.js", "b")]);
        let other = files(&[("assets/a-0000000000000002.js", "same, then two"), ("c.js", "b")]);
        assert_eq!(differences(&plain, &plain), Vec::<String>::new());
        assert_eq!(
            differences(&plain, &other),
            [
                "`assets/a-0000000000000001.js`: byte 11 is the first that differs, in `same, then two` instead of `same, then one`",
                "`b.js` is missing",
                "`c.js` is there in addition",
            ]
        );
    }
}
