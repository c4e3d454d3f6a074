//! WebAssembly modules as modules of JavaScript: <https://github.com/WebAssembly/esm-integration>.

use std::{collections::BTreeSet, fmt::Write};

/// The source of the module that a file is: it imports what the file imports and exports what it exports.
pub(crate) fn source(bytes: &[u8], name: &str) -> Result<String, String> {
    let (imports, exports) = names(bytes).ok_or("is not a WebAssembly module")?;
    let mut source = format!("import url from {};\n", quoted(&format!("./{name}?no-inline")));
    let modules: Vec<&String> = imports.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut given = String::new();
    for (n, module) in modules.iter().enumerate() {
        writeln!(source, "import * as from{n} from {};", quoted(module)).expect("a string");
        write!(given, "{}: from{n},", quoted(module)).expect("a string");
    }
    writeln!(
        source,
        "const {{ instance: {{ exports }} }} = await WebAssembly.instantiateStreaming(fetch(url), {{{given}}});"
    )
    .expect("a string");
    for (n, export) in exports.iter().enumerate() {
        let quoted = quoted(export);
        writeln!(source, "const export{n} = exports[{quoted}];\nexport {{ export{n} as {quoted} }};")
            .expect("a string");
    }
    Ok(source)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

/// Modules that it imports from, and names that it exports (WebAssembly Core Specification, §5.5).
fn names(bytes: &[u8]) -> Option<(Vec<String>, Vec<String>)> {
    let mut file = Reader(bytes.strip_prefix(b"\0asm\x01\0\0\0")?);
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    while !file.0.is_empty() {
        let id = file.byte()?;
        let size = file.number()? as usize;
        let mut section = Reader(file.take(size)?);
        match id {
            2 => {
                for _ in 0..section.number()? {
                    imports.push(section.name()?);
                    section.name()?;
                    section.import_kind()?;
                }
            }
            7 => {
                for _ in 0..section.number()? {
                    exports.push(section.name()?);
                    section.byte()?;
                    section.number()?;
                }
            }
            _ => {}
        }
    }
    Some((imports, exports))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// An unsigned number in LEB128.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn name(&mut self) -> Option<String> {
        let bytes = self.number()? as usize;
        String::from_utf8(self.take(bytes)?.to_vec()).ok()
    }

    fn import_kind(&mut self) -> Option<()> {
        match self.byte()? {
            // A function, by its type.
            0 => self.number().map(drop),
            1 => {
                self.value_type()?;
                self.limits()
            }
            2 => self.limits(),
            3 => {
                self.value_type()?;
                self.byte().map(drop)
            }
            // What it throws.
            4 => {
                self.byte()?;
                self.number().map(drop)
            }
            _ => None,
        }
    }

    /// One byte, or a reference with the type of what it refers to.
    fn value_type(&mut self) -> Option<()> {
        match self.byte()? {
            0x63 | 0x64 => self.number().map(drop),
            _ => Some(()),
        }
    }

    fn limits(&mut self) -> Option<()> {
        let flags = self.byte()?;
        self.number()?;
        if flags & 1 == 1 {
            self.number()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn imports_and_exports_are_those_of_the_file() {
        // (module (import "./m.js" "f" (func)) (memory (export "mem") 1) (export "g" (func 0)))
        let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
        bytes.extend(b"\x02\x0c\x01\x06./m.js\x01f\0\0\x05\x03\x01\0\x01\x07\x0b\x02\x03mem\x02\0\x01g\0\0");
        let source = source(&bytes, "x.wasm").unwrap();
        assert!(source.contains("import * as from0 from \"./m.js\";"), "{source}");
        assert!(source.contains("export { export1 as \"g\" };"), "{source}");
        assert!(super::source(b"\0asm\x01\0\0\0\x02\xff", "x.wasm").is_err());
        assert!(super::source(b"#!/bin/sh", "x.wasm").is_err());
    }
}
