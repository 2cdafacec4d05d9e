//! Names that samply saved beside a recording, `NAME.syms.json` of `samply record --unstable-presymbolicate`.
//!
//! A recording that was taken on another machine has them where programs are not here. The file has the symbols of each library and, for each address of the
//! recording, which one it is (samply's `symbol_precog.rs`). It has lines and inlined functions once a symbol, those of the address that came up first, which
//! are wrong for the others: only names of symbols are taken. Deliberately absent: where the file lies ([`ModuleSource::saved_symbols`](super::ModuleSource)). Start
//! reading at [`Saved::parse`].

use std::io::{BufReader, Read};

use serde::Deserialize;

use crate::base::ticket::{Cancelled, Ticket};
use crate::model::base_name;

/// The symbols of all libraries.
#[derive(Debug, Default)]
pub(super) struct Saved {
    strings: Vec<String>,
    libraries: Vec<Library>,
}

/// The symbols of one library.
#[derive(Debug)]
pub(super) struct Library {
    name: String,
    /// Build id, or what other systems have in its place, in lower case.
    id: String,
    /// Addresses from where the library lay, sorted, each once, with the row of its name.
    addresses: Vec<(u32, u32)>,
}

#[derive(Deserialize)]
struct InFile {
    string_table: Vec<String>,
    data: Vec<LibraryInFile>,
}

#[derive(Deserialize)]
struct LibraryInFile {
    debug_name: String,
    #[serde(default)]
    code_id: String,
    symbol_table: Vec<SymbolInFile>,
    /// Address and row of `symbol_table`.
    known_addresses: Vec<(u32, u32)>,
}

#[derive(Deserialize)]
struct SymbolInFile {
    symbol: u32,
}

/// Bytes that are read only as long as nobody cancels.
struct Watched<'a> {
    rest: &'a [u8],
    ticket: &'a Ticket,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ticket.is_cancelled() {
            return Err(std::io::Error::other("cancelled"));
        }
        self.rest.read(buffer)
    }
}

impl Saved {
    /// Reads the file; the inner error says what is wrong with it.
    pub(super) fn parse(bytes: &[u8], ticket: &Ticket) -> Result<Result<Self, String>, Cancelled> {
        let parsed = serde_json::from_reader(BufReader::with_capacity(1 << 16, Watched { rest: bytes, ticket }));
        ticket.check()?;
        let InFile { string_table: strings, data } = match parsed {
            Ok(file) => file,
            Err(why) => return Ok(Err(why.to_string())),
        };
        let mut libraries = Vec::with_capacity(data.len());
        for LibraryInFile { debug_name: name, code_id, symbol_table, known_addresses } in data {
            ticket.check()?;
            let name_row = |row: u32| symbol_table.get(row as usize).map(|symbol| symbol.symbol);
            let named = known_addresses.into_iter().filter_map(|(address, row)| Some((address, name_row(row)?)));
            let mut addresses: Vec<(u32, u32)> = named.collect();
            addresses.sort_unstable();
            addresses.dedup_by_key(|(address, _)| *address);
            libraries.push(Library { name, id: code_id.to_ascii_lowercase(), addresses });
        }
        Ok(Ok(Self { strings, libraries }))
    }

    /// The library with a build id; without one, the only library of the name of `file`.
    pub(super) fn library(&self, file: &str, build_id: Option<&str>) -> Option<&Library> {
        if let Some(id) = build_id {
            return self.libraries.iter().find(|library| library.id == id);
        }
        let mut of_name = self.libraries.iter().filter(|library| library.name == base_name(file));
        of_name.next().filter(|_| of_name.next().is_none())
    }

    /// The name at an address of a library.
    pub(super) fn name(&self, library: &Library, address: u64) -> Option<&str> {
        let address = u32::try_from(address).ok()?;
        let at = library.addresses.binary_search_by_key(&address, |(address, _)| *address).ok()?;
        let (_, row) = library.addresses.get(at)?;
        self.strings.get(*row as usize).map(String::as_str).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
pub(super) const EXAMPLE: &str = r#"{"string_table":["UNKNOWN","serve","read<T>"],"data":[
{"debug_name":"app","debug_id":"0A0B","code_id":"ABCD","symbol_table":[{"rva":4096,"size":64,"symbol":1,"frames":[{"function":2,"file":null,"line":7}]},
{"rva":8192,"symbol":2},{"rva":1,"symbol":99}],"known_addresses":[[8200,1],[4100,0],[4101,0],[9000,2],[9001,77]]},
{"debug_name":"libc.so.6","debug_id":"","code_id":"","symbol_table":[{"rva":5,"symbol":1}],"known_addresses":[[5,0]]}]}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_names_of_their_library_and_nothing_else_does() {
        let saved = Saved::parse(EXAMPLE.as_bytes(), &Ticket::new()).unwrap().unwrap();
        let name = |file: &str, id: Option<&str>, address: u64| {
            saved.library(file, id).and_then(|library| saved.name(library, address)).map(str::to_owned)
        };
        let found = |address: u64| name("/opt/app", Some("abcd"), address);
        assert_eq!([4100, 4101, 8200].map(found), [Some("serve".to_owned()), Some("serve".to_owned()), Some("read<T>".to_owned())]);
        // Addresses that the recording does not have, rows that are not there, and numbers beyond the format.
        assert_eq!([4102, 9000, 9001, 4100 + (1 << 32)].map(found), [const { None }; 4]);
        assert_eq!(name("/opt/app", Some("ffff"), 4100), None, "another build");
        assert_eq!(name("/lib/libc.so.6", None, 5).as_deref(), Some("serve"));
        assert_eq!(name("/lib/libm.so.6", None, 5), None);
    }

    #[test]
    fn damage_is_said_and_a_cancel_is_none() {
        for text in ["", "[]", "{\"string_table\":[]}", "{\"string_table\":[1],\"data\":[]}", "{\"string_table\":[],\"data\":[{}]}"] {
            assert!(Saved::parse(text.as_bytes(), &Ticket::new()).unwrap().is_err(), "{text}");
        }
        let ticket = Ticket::new();
        ticket.cancel();
        assert!(Saved::parse(EXAMPLE.as_bytes(), &ticket).is_err());
    }
}
