//! `emberlens cache`: the symbols kept on disk.

use std::process::ExitCode;

use super::{Failure, args, output};
use crate::app::symbol_cache::SymbolCache;
use crate::model::{counted, human};

pub(super) fn run(args: &args::Cache) -> Result<ExitCode, Failure> {
    let folder = SymbolCache::default_folder().ok_or_else(|| Failure::Failed("this platform has no folder for caches".to_owned()))?;
    let cache = SymbolCache::new(&folder);
    let text = if args.clear {
        let (modules, bytes) =
            cache.clear().map_err(|error| Failure::Failed(format!("removing kept symbols: {error}\n{}", folder.display())))?;
        format!("removed the symbols of {}, {}\n", counted(modules as u64, "module", "modules"), human(bytes as f64, "bytes"))
    } else {
        let (modules, bytes) = cache.size();
        format!("{}\n  symbols of {}, {}\n", folder.display(), counted(modules as u64, "module", "modules"), human(bytes as f64, "bytes"))
    };
    output::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
