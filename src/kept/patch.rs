//! Modules exchanged in the bundles that are there.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::{join, prelude::*};
use sha2::{Digest, Sha256};
use ssbuild_diagnostic::Diagnostic;
use ssbuild_script::{CompiledModule, Exchange, Source};

use super::{Interface, Kept, Lies};
use crate::{
    asset::{Sum, digest, integrity, sum},
    bundle::{Part, Script, Staged},
    disk::{Changed, Disk, DiskError, Edit},
    graph::ImportSheet,
    output::{Held, StagedFile},
    project::{SOURCE_BYTES_MAX, without_bom},
    resolve::Side,
    scripts::Scripts,
    style::StyleOutput,
    zone::Zone,
};

/// What exchanging needs to know.
pub(crate) struct Patching<'a> {
    /// Where the sources are read.
    pub(crate) disk: &'a dyn Disk,
    /// Where the build is written.
    pub(crate) target: &'a dyn Disk,
    /// The output folder.
    pub(crate) out: &'a Path,
    /// The compiler of stylesheets that scripts import.
    pub(crate) import_sheet: &'a ImportSheet<'a>,
}

/// Scripts in which modules were exchanged.
pub(crate) struct Patched<'a> {
    pub(crate) scripts: Scripts,
    pub(crate) found: Vec<Diagnostic>,
    /// Texts of theirs lie in it already.
    pub(crate) held: Held<'a>,
}

/// A module that was compiled again.
struct New {
    part: usize,
    /// Its source as it stands in a map.
    content: String,
    source_bytes: usize,
    compiled: CompiledModule,
}

impl<'a> Patching<'a> {
    /// The scripts of a build that differs from the one that is there by the insides of these files.
    ///
    /// Nothing when it differs in more, or when what is there is not what was kept. Whatever fails here does so once more
    /// where it is told.
    pub(crate) fn patch(&self, mut kept: Kept, changed: &[Changed]) -> Option<Patched<'a>> {
        let changed = kept.recompile(changed)?;
        let held = Held::take(self.target, self.out).ok()?;
        match self.exchange(&mut kept, changed, &held) {
            Some(()) => {
                let Kept { mut scripts, exchangeable, .. } = kept;
                let found = exchangeable.found.clone();
                scripts.exchangeable = Some(exchangeable);
                Some(Patched { scripts, found, held })
            }
            None => {
                held.leave();
                None
            }
        }
    }

    fn exchange(&self, kept: &mut Kept, new: Vec<(usize, New)>, held: &Held<'_>) -> Option<()> {
        let mut by_script: Vec<Option<New>> = Vec::new();
        by_script.resize_with(kept.files.len(), || None);
        for (script, new) in new {
            // Two in one bundle are joined as fast as they are exchanged one after the other.
            if by_script[script].replace(new).is_some() {
                return None;
            }
        }
        self.import_sheets(kept)?;
        let early = held.early().ok()?;
        let files = &kept.files;
        let scripts = kept.scripts.all_mut();
        scripts.into_par_iter().zip(files).zip(by_script).enumerate().try_for_each(|(n, ((script, files), new))| {
            match new {
                Some(new) => self.exchange_in(script, files, &new, &early.join(n.to_string())),
                None => self.read_back(script, files),
            }
        })
    }

    /// What scripts import is asked for as by the scripts, so that it is known what their stylesheets name.
    fn import_sheets(&self, kept: &mut Kept) -> Option<()> {
        let outputs = kept.exchangeable.sheets.iter().map(|sheet| {
            let text = text(self.disk.read(&sheet.path).ok()?)?;
            let imported = (self.import_sheet)(&sheet.name, &text);
            (sum(imported.module.as_bytes()) == sheet.module).then_some(imported.output)
        });
        let outputs: Vec<Arc<StyleOutput>> = outputs.collect::<Option<_>>()?;
        let styles = kept.exchangeable.styles.iter();
        let styles =
            styles.map(|(page, numbers)| (page.clone(), numbers.iter().map(|&n| Arc::clone(&outputs[n])).collect()));
        kept.scripts.styles = styles.collect();
        Some(())
    }

    /// The texts of a script in which nothing changed.
    fn read_back(&self, script: &mut Script, (code, map): &(Lies, Option<Lies>)) -> Option<()> {
        script.code = self.read(code)?;
        script.map = match map {
            Some(map) => Some(self.read(map)?),
            None => None,
        };
        Some(())
    }

    fn read(&self, lies: &Lies) -> Option<String> {
        let bytes = self.target.read(&lies.file).ok()?;
        (sum(&bytes) == lies.sum).then_some(())?;
        String::from_utf8(bytes).ok()
    }

    fn exchange_in(
        &self,
        script: &mut Script,
        (code, map): &(Lies, Option<Lies>),
        new: &New,
        early: &Path,
    ) -> Option<()> {
        let at = new.part;
        let place = Place::of(script, at)?;
        let exchange = match map {
            Some(map) => Some(self.exchange_map(script, &place, (code, map), new)?),
            None => None,
        };
        let write_map = || -> Option<Option<StagedFile>> {
            let (Some(map), Some((_, edits))) = (map, &exchange) else { return Some(None) };
            self.write_edited(map, edits, early.with_extension("map")).map(Some)
        };
        let write_code = || -> Option<(String, StagedFile, String)> {
            let mut text = self.read(code)?;
            text.replace_range(place.code.clone(), &new.compiled.code);
            let bytes = text.as_bytes();
            let (sha256, integrity) = join(|| digest(bytes), || integrity(bytes));
            let at = early.with_extension("js");
            self.target.write_new(&at, bytes).ok()?;
            let file = StagedFile { at, bytes: bytes.len() as u64, sha256, sum: sum(bytes) };
            Some((text, file, integrity))
        };
        let (map, code) = join(write_map, write_code);
        let (map, (code, file, integrity)) = (map?, code?);
        script.code = code;
        script.staged = Staged { code: Some((file, integrity)), map };
        place.settle(script, new, exchange.map(|(exchange, _)| exchange));
        Some(())
    }

    /// What changes in a map, and where in its text.
    fn exchange_map(
        &self,
        script: &Script,
        place: &Place,
        (code, map): (&Lies, &Lies),
        new: &New,
    ) -> Option<(Exchange, Vec<Edit>)> {
        let places = script.map_places.as_ref()?;
        let before = script.parts[place.part].map?;
        let after = match script.parts.get(place.part + 1) {
            Some(next) => next.map?,
            None => places.end,
        };
        // Code without a mapping has no source in the map.
        if after.source_count != before.source_count + 1 {
            return None;
        }
        let follows = self.target.read_part(&code.file, place.code.end, place.follows).ok()?;
        let follows = String::from_utf8(follows).ok()?;
        let left = places.end.mappings - after.mappings;
        let rest = self.target.read_part(&map.file, places.mappings + after.mappings, left.min(LOOK_BYTES)).ok()?;
        let exchange =
            Exchange::of((before, after), new.compiled.map.as_ref()?, &follows, (&rest, left <= LOOK_BYTES))?;
        let edit = |range: &Range<usize>, from: usize, text: &str| Edit {
            range: from + range.start..from + range.end,
            bytes: text.as_bytes().to_vec(),
        };
        let mut edits = vec![
            edit(&content_range(script, place.part)?, 0, &new.content),
            edit(&exchange.names.0, places.names, &exchange.names.1),
        ];
        edits.extend(exchange.mappings.iter().map(|(range, text)| edit(range, places.mappings, text)));
        Some((exchange, edits))
    }

    /// Writes an edited copy of a file that must be what was kept.
    fn write_edited(&self, lies: &Lies, edits: &[Edit], at: PathBuf) -> Option<StagedFile> {
        let (mut before, mut now, mut sha256, mut bytes) = (Sum::default(), Sum::default(), Sha256::new(), 0);
        let written: Result<(), DiskError> = self.target.write_edited(&lies.file, edits, &at, &mut |passed| {
            before.add(passed.read());
            now.add(passed.written());
            sha256.update(passed.written());
            bytes += passed.written().len() as u64;
        });
        written.ok()?;
        let sha256 = sha256.finalize().into();
        (before.done() == lies.sum).then(|| StagedFile { at, bytes, sha256, sum: now.done() })
    }
}

/// So many bytes of mappings are looked through for what counts from an exchanged chunk.
const LOOK_BYTES: usize = 1024 * 1024;

/// Where a part's source lies in the text of the map.
fn content_range(script: &Script, part: usize) -> Option<Range<usize>> {
    let (places, source) = (script.map_places.as_ref()?, script.parts[part].map?.source_count as usize);
    // Behind each is a comma or a bracket.
    Some(*places.contents.get(source)?..places.contents.get(source + 1)?.checked_sub(1)?)
}

/// Where a part of a script lies.
struct Place {
    part: usize,
    code: Range<usize>,
    /// Bytes between it and the next part, or the end.
    follows: usize,
}

impl Place {
    fn of(script: &Script, part: usize) -> Option<Self> {
        let Part { start, bytes, .. } = script.parts.get(part)?;
        let code = *start..start + bytes;
        let next = script.parts.get(part + 1).map_or(script.bytes, |next| next.start);
        let follows = next.checked_sub(code.end)?;
        Some(Self { part, code, follows })
    }

    /// Tells a script where its parts are now.
    fn settle(&self, script: &mut Script, new: &New, exchange: Option<Exchange>) {
        let moved = |at: usize, from: usize, to: usize| at + to - from;
        if let Some(exchange) = &exchange {
            let content = content_range(script, self.part).expect("it was exchanged");
            let source = script.parts[self.part].map.expect("it was exchanged").source_count as usize;
            let new_content = new.content.len();
            let places = script.map_places.as_mut().expect("it was exchanged");
            for at in &mut places.contents[source + 1..] {
                *at = moved(*at, content.len(), new_content);
            }
            places.names = moved(places.names, content.len(), new_content);
            places.mappings = moved(places.mappings, content.len(), new_content);
            let (names, text) = &exchange.names;
            places.mappings = moved(places.mappings, names.len(), text.len());
            places.end = exchange.moved(places.end);
        }
        let code = new.compiled.code.len();
        let (own, behind) = script.parts[self.part..].split_first_mut().expect("it is a part of the script");
        (own.bytes, own.source_bytes) = (code, new.source_bytes);
        for part in behind {
            part.start = moved(part.start, self.code.len(), code);
            if let (Some(exchange), Some(state)) = (&exchange, &mut part.map) {
                *state = exchange.moved(*state);
            }
        }
        script.bytes = script.code.len();
    }
}

impl Kept {
    /// Compiles files again, each as often as it stands in a script.
    fn recompile(&mut self, changed: &[Changed]) -> Option<Vec<(usize, New)>> {
        let (mut all, server) = (Vec::new(), self.files.len() - 1);
        for Changed { path, bytes } in changed {
            let exchangeable = &mut self.exchangeable;
            let mut members = exchangeable.members.iter_mut().filter(|member| member.path == *path).peekable();
            members.peek()?;
            if bytes.len() as u64 > SOURCE_BYTES_MAX {
                return None;
            }
            let text = text(bytes.clone())?;
            let content = serde_json::to_string(&text).expect("a text is JSON");
            for member in members {
                let labels = exchangeable.found.iter().flat_map(|found| &found.labels);
                let mut mentioned = labels.map(|label| &label.place.file);
                if mentioned.any(|file| *file == member.name) {
                    return None;
                }
                let source = Source { path: &member.name, text: &text, language: member.language };
                let compiled = ssbuild_script::compile(source, &exchangeable.options[member.options]);
                let side = if member.script == server { Side::Server } else { Side::Client };
                let interface = Interface::of(Zone::of(&member.name), side, &compiled);
                if !compiled.diagnostics.is_empty() || !member.interface.allows(&interface) {
                    return None;
                }
                member.interface = interface;
                all.push((
                    member.script,
                    New { part: member.part, content: content.clone(), source_bytes: text.len(), compiled },
                ));
            }
        }
        Some(all)
    }
}

/// A source as the compiler wants it.
fn text(bytes: Vec<u8>) -> Option<String> {
    Some(without_bom(&String::from_utf8(bytes).ok()?).to_owned())
}
