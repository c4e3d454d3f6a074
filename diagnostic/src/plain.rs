//! Diagnostics as data. In formats that people read, what is empty is left out; others know fields by their number alone, so
//! there every field is written.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Diagnostic, Label, Place};

impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sparse = serializer.is_human_readable();
        let help = !(sparse && self.help.is_empty());
        let mut fields = serializer.serialize_struct("Diagnostic", 4 + usize::from(help))?;
        fields.serialize_field("code", &self.code)?;
        fields.serialize_field("severity", &self.severity)?;
        fields.serialize_field("message", &self.message)?;
        fields.serialize_field("labels", &self.labels)?;
        if help {
            fields.serialize_field("help", &self.help)?;
        }
        fields.end()
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = !(serializer.is_human_readable() && self.text.is_empty());
        let mut fields = serializer.serialize_struct("Label", 1 + usize::from(text))?;
        fields.serialize_field("place", &self.place)?;
        if text {
            fields.serialize_field("text", &self.text)?;
        }
        fields.end()
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sparse = serializer.is_human_readable();
        let (text, cut) = (!(sparse && self.text.is_empty()), !(sparse && self.cut == 0));
        let mut fields = serializer.serialize_struct("Place", 4 + usize::from(text) + usize::from(cut))?;
        fields.serialize_field("file", &self.file)?;
        fields.serialize_field("line", &self.line)?;
        fields.serialize_field("column", &self.column)?;
        fields.serialize_field("length", &self.length)?;
        if text {
            fields.serialize_field("text", &self.text)?;
        }
        if cut {
            fields.serialize_field("cut", &self.cut)?;
        }
        fields.end()
    }
}
