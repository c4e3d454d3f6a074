//! New apps: a template's files, with the app's name in them.

mod templates;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ssbuild_server::config::schema;

pub use templates::{Language, Template};

/// Where the schema of the configuration is written, for editors.
const SCHEMA: &str = "types/config.schema.json";
/// What stands in the templates for the app's name.
const NAME: &str = "{{name}}";

/// Why there is no new app.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// Something is there already.
    #[error("`{}` is not empty: give the name of a folder that is new, or empty", .0.display())]
    NotEmpty(PathBuf),
    /// The folder's name gives no name for the app.
    #[error("`{}` cannot name an app: the folder's name needs a letter or a digit", .0.display())]
    NoName(PathBuf),
    /// The template is in one language only.
    #[error("the template `{}` is written in CoffeeScript: leave `--ts` out, or take another one", .0.name())]
    OneLanguage(Template),
    /// The disk.
    #[error("cannot write `{}`: {error}", path.display())]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Writes a new app into a folder that is not there or empty; returns its files, sorted.
pub fn create(folder: &Path, template: Template, language: Language) -> Result<Vec<String>, NewError> {
    let name = app_name(folder).ok_or_else(|| NewError::NoName(folder.to_owned()))?;
    let files = template.files(language).ok_or(NewError::OneLanguage(template))?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| NewError::Write { path, error }
    };
    match fs::read_dir(folder) {
        Ok(mut there) => match there.next() {
            None => {}
            Some(_) => return Err(NewError::NotEmpty(folder.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(folder)(error)),
    }
    let schema = format!("{:#}\n", schema());
    let mut texts: Vec<(String, String)> =
        files.into_iter().map(|(path, text)| (path, text.replace(NAME, &name))).collect();
    texts.push((SCHEMA.to_owned(), schema));
    texts.sort();
    for (path, text) in &texts {
        let path = folder.join(path);
        let above = path.parent().expect("a file is in a folder");
        fs::create_dir_all(above).map_err(failed(above))?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed(&path))?;
        io::Write::write_all(&mut file, text.as_bytes()).map_err(failed(&path))?;
    }
    Ok(texts.into_iter().map(|(path, _)| path).collect())
}

/// A name for `package.json` and titles: the folder's, in small letters, digits and dashes.
fn app_name(folder: &Path) -> Option<String> {
    let folder = std::path::absolute(folder).ok()?;
    let name = folder.file_name()?.to_string_lossy().to_lowercase();
    let dashed: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<&str> = dashed.split('-').filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("-"))
}
