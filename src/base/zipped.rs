//! Members of zip archives that are packed in other ways than by Deflate: bzip2, LZMA, xz and Zstandard, each by the decoder that single files have.
//!
//! Numbers and forms follow PKWARE's APPNOTE 6.3.10 (4.4.5 and 5.8). Start reading at [`reader`].

use std::io::Read;

use zip::CompressionMethod;

/// Most memory that a member may ask for (see also [`inflate`](super::inflate)).
const MEMORY_BYTES: u64 = 1 << 30;

/// Whether members of that method are read here.
pub(super) const fn is_known(method: CompressionMethod) -> bool {
    matches!(method, CompressionMethod::BZIP2 | CompressionMethod::LZMA | CompressionMethod::XZ | CompressionMethod::ZSTD)
}

/// What to say of a method that nobody here reads; `None` for those that the archive's own reader does.
pub(super) fn hint(method: CompressionMethod) -> Option<String> {
    let name = match method {
        CompressionMethod::STORE | CompressionMethod::DEFLATE => return None,
        CompressionMethod::DEFLATE64 => "Deflate64",
        CompressionMethod::PPMD => "PPMd",
        CompressionMethod::IMPLODE => "Implode",
        _ => "a method that is rare",
    };
    Some(format!("the member is packed by {name}, which is not read here; take it out with 7-Zip or unzip first"))
}

/// Reads the content of a member of `size` bytes out of its packed bytes. Errors say why in words.
pub(super) fn reader(method: CompressionMethod, packed: &[u8], size: u64) -> Result<Box<dyn Read + '_>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    Ok(match method {
        CompressionMethod::BZIP2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        CompressionMethod::ZSTD => Box::new(zstd::stream::read::Decoder::with_buffer(packed).map_err(|error| words(&error))?),
        CompressionMethod::XZ => {
            let stream = liblzma::stream::Stream::new_stream_decoder(MEMORY_BYTES, liblzma::stream::CONCATENATED);
            Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream.map_err(|error| words(&error))?))
        }
        CompressionMethod::LZMA => {
            // Version, length of the properties, the properties, and what an `.lzma` file has behind its properties and the size.
            let found = packed.get(2..4).zip(packed.get(4..9)).filter(|(length, _)| *length == [5, 0]);
            let Some((_, properties)) = found else { return Err("the properties of LZMA are not 5 bytes".to_owned()) };
            let head = [properties, &size.to_le_bytes()].concat();
            let rest = packed.get(9..).unwrap_or(&[]);
            let stream = liblzma::stream::Stream::new_lzma_decoder(MEMORY_BYTES).map_err(|error| words(&error))?;
            Box::new(liblzma::read::XzDecoder::new_stream(std::io::Cursor::new(head).chain(rest), stream))
        }
        method => return Err(hint(method).unwrap_or_default()),
    })
}
