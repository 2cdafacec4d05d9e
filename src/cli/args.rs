//! What can be written on the command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};

use super::Failure;
use crate::analysis::comparison::{Marker, Work};
use crate::analysis::filter::{exactly, or, parse_expression};
use crate::analysis::tags::Tags;
use crate::analysis::{Filter, Granularity, Naming, Normalization, Part};
use crate::app::EVERYTHING;
use crate::app::debuginfod::{Debuginfod, servers_of_environment};
use crate::app::load::LoadOptions;
use crate::app::picture;
use crate::app::source::SourceSpec;
use crate::app::symbol_cache::SymbolCache;
use crate::base::inflate;
use crate::format::FORMATS;
use crate::model::{Unit, parse_human};
use crate::report::PictureTheme;

/// Opens profiles, draws them, and shows which functions got worse between two captures.
///
/// Without a subcommand the window opens. A file that has the name of a subcommand is opened as ./NAME.
#[derive(Debug, Parser)]
#[command(name = "emberlens", version = version(), subcommand_help_heading = "Without the window")]
pub(super) struct Args {
    /// Captures to open in the window.
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Opens the window on the comparison of two captures.
    #[arg(short, long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with = "files")]
    pub(super) diff: Option<Vec<PathBuf>>,
    /// Opens the window on a comparison with these captures before, one or more of the same kind.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "after", conflicts_with_all = ["files", "diff"])]
    pub(super) before: Vec<PathBuf>,
    /// The captures after.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "before", conflicts_with_all = ["files", "diff"])]
    pub(super) after: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Option<Subcommand>,
}

/// Options of everything that reads captures.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reading")]
pub(super) struct Global {
    /// Largest uncompressed size of a capture, such as 500MB or 8GB. By default 64 times its compressed size, at least 1GB and at most
    /// 8GB.
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size)]
    max_bytes: Option<u64>,
    /// A folder in which a capture's binaries are looked for, as if it were the root of the recording machine (perf's --symfs). May
    /// be given several times.
    #[arg(long, global = true, value_name = "PATH")]
    symbols: Vec<PathBuf>,
    /// Leaves addresses without a name as they are.
    #[arg(long, global = true, conflicts_with = "symbols")]
    no_symbols: bool,
    /// Asks debuginfod servers for debug files that are not on this machine: addresses separated by blanks, or `env` for those of
    /// DEBUGINFOD_URLS. This tells the servers which programs ran; without it nothing leaves the machine.
    #[arg(long, global = true, value_name = "URLS", value_parser = parse_servers, conflicts_with = "no_symbols")]
    debuginfod: Option<Debuginfod>,
    /// A folder in which source files are looked for, by the path that the capture has: below it and its parents, and from its own name on (pprof's
    /// -source_path). May be given several times; the working folder otherwise.
    #[arg(long, global = true, value_name = "PATH")]
    source_path: Vec<PathBuf>,
    /// A beginning of recorded paths of source files that is taken off before they are looked for (pprof's -trim_path). May be given several
    /// times.
    #[arg(long, global = true, value_name = "PREFIX")]
    trim_path: Vec<String>,
    /// Does not keep looked-up symbols in the cache folder, and uses none from there.
    #[arg(long, global = true)]
    no_symbol_cache: bool,
    /// Number of threads; one for each core by default. The output does not depend on it.
    #[arg(long, global = true, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
}

impl Global {
    pub(super) fn load_options(&self) -> LoadOptions {
        let folder = SymbolCache::default_folder().filter(|_| !self.no_symbol_cache);
        LoadOptions {
            max_bytes: self.max_bytes,
            symbol_roots: self.symbols.clone(),
            symbols: !self.no_symbols,
            symbol_cache: folder.map(|folder| SymbolCache::new(&folder)),
            debuginfod: self.debuginfod.clone(),
            source: SourceSpec { folders: self.source_path.clone(), trims: self.trim_path.clone() }.sane(),
        }
    }
}

/// The work without a window.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Subcommand {
    /// Says what a capture holds: format, sample types, totals, labels, threads, what was lost.
    Info(Info),
    /// Prints the functions with the largest values.
    Top(Top),
    /// Prints the source of functions with self and total of every line.
    #[command(override_usage = "emberlens list [OPTIONS] REGEX FILE\n       emberlens list [OPTIONS] REGEX BEFORE AFTER")]
    List(List),
    /// Prints what calls functions and what they call, one step each way (pprof's -peek).
    Peek(Peek),
    /// Prints what each value of each label holds (pprof's -tags).
    #[command(visible_alias = "tags")]
    Labels(Labels),
    /// Says what got worse from one capture to another, how much, and how sure that is.
    #[command(
        override_usage = "emberlens diff [OPTIONS] BEFORE AFTER\n       emberlens diff [OPTIONS] --before FILE... --after FILE...\n       emberlens diff [OPTIONS] FILE --before-where CONDITION --after-where CONDITION\n       emberlens diff [OPTIONS] SAVED"
    )]
    Diff(Diff),
    /// Writes a capture or a comparison as another format, a picture or a table.
    Export(Export),
    /// Runs a script of the window's commands without the window.
    Run(Run),
    /// Says where looked-up symbols are kept and how much room they take; removes them.
    Cache(Cache),
}

/// Arguments of `info`.
#[derive(Debug, clap::Args)]
pub(super) struct Info {
    /// The capture; - is standard input.
    pub(super) file: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `cache`.
#[derive(Debug, clap::Args)]
pub(super) struct Cache {
    /// Removes all kept symbols.
    #[arg(long)]
    pub(super) clear: bool,
}

/// Arguments of `top`.
#[derive(Debug, clap::Args)]
pub(super) struct Top {
    /// The capture; - is standard input.
    pub(super) file: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Number of rows; 0 = all.
    #[arg(short, long, value_name = "N", default_value_t = 20)]
    pub(super) number: usize,
    /// Orders by total (cum) and not by self (flat).
    #[arg(long)]
    pub(super) cum: bool,
    #[command(flatten)]
    pub(super) view: View,
}

/// Arguments of `peek`.
#[derive(Debug, clap::Args)]
pub(super) struct Peek {
    /// Which functions: case-sensitive, anywhere in the name, as in pprof.
    #[arg(value_name = "REGEX", value_parser = parse_expression)]
    pub(super) functions: String,
    /// The capture; - is standard input.
    pub(super) file: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Number of functions, those with the largest totals; 0 = all.
    #[arg(short, long, value_name = "N", default_value_t = 10)]
    pub(super) number: usize,
    #[command(flatten)]
    pub(super) view: View,
}

/// Arguments of `labels`.
#[derive(Debug, clap::Args)]
pub(super) struct Labels {
    /// The capture; - is standard input.
    pub(super) file: PathBuf,
    /// Which keys: case-sensitive, anywhere in the key; all otherwise.
    #[arg(long, value_name = "REGEX", value_parser = parse_expression)]
    pub(super) keys: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) view: View,
}

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Which functions: case-sensitive, anywhere in the name, as in pprof.
    #[arg(value_name = "REGEX", value_parser = parse_expression)]
    pub(super) functions: String,
    /// The capture (- is standard input), or the captures before and after.
    #[arg(value_name = "FILE", num_args = 1..=2, required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Prints Markdown.
    #[arg(long, conflicts_with = "json")]
    pub(super) markdown: bool,
    /// Number of functions, those with the largest totals; 0 = all.
    #[arg(short, long, value_name = "N", default_value_t = 10)]
    pub(super) number: usize,
    /// How the two sides are made comparable; what fits the sample type otherwise.
    #[arg(long, value_name = "HOW", value_parser = normalizations())]
    normalize: Option<String>,
    #[command(flatten)]
    pub(super) names: Names,
    #[command(flatten)]
    pub(super) view: View,
}

impl List {
    pub(super) fn normalization(&self) -> Option<Normalization> {
        self.normalize.as_deref().and_then(Normalization::from_name)
    }
}

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct Diff {
    /// The capture before and the capture after; one capture for both sides with --before-where or --after-where; or one comparison that
    /// was saved as pprof.
    #[arg(value_names = ["BEFORE", "AFTER"], num_args = 1..=2, required_unless_present_all = ["before", "after"], conflicts_with_all = ["before", "after"])]
    pub(super) files: Vec<PathBuf>,
    /// Captures of the side before, one or more of the same kind.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "after")]
    pub(super) before: Vec<PathBuf>,
    /// Captures of the side after.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "before")]
    pub(super) after: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) parts: Parts,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Prints Markdown.
    #[arg(long, conflicts_with = "json")]
    pub(super) markdown: bool,
    /// Prints a page for a review that needs nothing else: the answer, findings, flame graph, facts and notes.
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    pub(super) html: bool,
    /// How the sides are made comparable; what fits the sample type otherwise.
    #[arg(long, value_name = "HOW", value_parser = normalizations())]
    normalize: Option<String>,
    #[command(flatten)]
    work: WorkArgs,
    /// Holds functions against what the bulk of them did, which is taken as unchanged.
    #[arg(long, conflicts_with_all = ["requests_before", "throughput_before", "work"])]
    pub(super) robust: bool,
    /// False discovery rate up to which a change is named [default: 0.05].
    #[arg(long, value_name = "RATE", value_parser = parse_part)]
    pub(super) level: Option<f64>,
    /// Changes that are surely within 1 ± this are not named [default: 0.02].
    #[arg(long, value_name = "PART", value_parser = parse_part)]
    pub(super) min_ratio: Option<f64>,
    /// Growth that is not to be missed: rows that could hide it are listed with what it would take to see it [default: 0.1].
    #[arg(long, value_name = "PART", value_parser = parse_growth)]
    pub(super) growth: Option<f64>,
    /// Ends with exit code 3 where something got worse, or where the work is known (--requests-before,
    /// --work) and surely costs more as a whole.
    #[arg(long)]
    pub(super) fail_on_regression: bool,
    #[command(flatten)]
    pub(super) names: Names,
    #[command(flatten)]
    pub(super) view: View,
}

impl Diff {
    pub(super) fn normalization(&self) -> Result<Option<Normalization>, Failure> {
        Ok(self.work.given()?.map(Normalization::PerRequest).or_else(|| self.normalize.as_deref().and_then(Normalization::from_name)))
    }
}

/// What part of its captures each side is.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Parts of captures")]
pub(super) struct Parts {
    /// The side before is this part of its captures: time=FROM..TO (since the first sample, such as 0s..10s or 1m..), thread=NAME,
    /// label=KEY:VALUE, focus=REGEX or ignore=REGEX. May be given several times: all must hold; several threads, or values of one label,
    /// are alternatives.
    #[arg(long, value_name = "CONDITION")]
    before_where: Vec<String>,
    /// The same for the side after.
    #[arg(long, value_name = "CONDITION")]
    after_where: Vec<String>,
}

impl Parts {
    /// Before and after.
    pub(super) fn sides(&self) -> Result<[Part; 2], Failure> {
        let parse = |name: &str, conditions: &[String]| Part::parse(conditions).map_err(|why| Failure::Usage(format!("{name}: {why}")));
        Ok([parse("--before-where", &self.before_where)?, parse("--after-where", &self.after_where)?])
    }

    /// True where neither side is a part.
    pub(super) const fn are_whole(&self) -> bool {
        self.before_where.is_empty() && self.after_where.is_empty()
    }
}

/// How much work each side did: values are then compared per unit of work.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Work done")]
pub(super) struct WorkArgs {
    /// Requests (or other work) done before: values are then compared per request.
    #[arg(long, value_name = "N", requires = "requests_after", conflicts_with = "normalize")]
    requests_before: Option<f64>,
    /// Requests done after.
    #[arg(long, value_name = "N", requires = "requests_before")]
    requests_after: Option<f64>,
    /// Requests per second before; multiplied by the duration.
    #[arg(long, value_name = "RATE", requires = "throughput_after", conflicts_with_all = ["normalize", "requests_before"])]
    throughput_before: Option<f64>,
    /// Requests per second after.
    #[arg(long, value_name = "RATE", requires = "throughput_before")]
    throughput_after: Option<f64>,
    /// Counts the work in the captures: event=NAME (occurrences of another sample type, such as a tracepoint), frame=REGEX (occurrences of
    /// stacks with the frame), label=KEY (distinct values), comment=KEY (a number in the comments).
    #[arg(long, value_name = "MARKER", value_parser = Marker::parse, conflicts_with_all = ["normalize", "requests_before", "throughput_before"])]
    work: Option<Marker>,
}

impl WorkArgs {
    fn given(&self) -> Result<Option<Work>, Failure> {
        let sound = |name: &str, work: Option<Work>| {
            work.map(Some).ok_or_else(|| Failure::Usage(format!("wanted numbers above 0 for --{name}-before and --{name}-after")))
        };
        match (self.requests_before.zip(self.requests_after), self.throughput_before.zip(self.throughput_after)) {
            (Some((before, after)), _) => sound("requests", Work::new(before, after)),
            (_, Some((before, after))) => sound("throughput", Work::throughput(before, after)),
            _ => Ok(self.work.clone().map(|count| Work::Counted { count })),
        }
    }
}

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The capture; - is standard input.
    #[arg(required_unless_present = "diff")]
    pub(super) file: Option<PathBuf>,
    /// Exports the comparison of two captures.
    #[arg(short, long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with = "file")]
    pub(super) diff: Option<Vec<PathBuf>>,
    /// Where to; the ending says what: folded, svg, csv, json, md, html, pb.gz, pb, png. - is standard output and needs --as.
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) parts: Parts,
    /// How the two sides of a comparison are made comparable; what fits the sample type otherwise.
    #[arg(long, value_name = "HOW", value_parser = normalizations(), requires = "diff")]
    normalize: Option<String>,
    /// What to write, where the name of OUT does not say it.
    #[arg(long = "as", value_name = "KIND", value_enum)]
    pub(super) kind: Option<Kind>,
    #[command(flatten)]
    pub(super) names: Names,
    #[command(flatten)]
    pub(super) picture: Picture,
    #[command(flatten)]
    pub(super) view: View,
}

/// Which names of two builds are one function.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Names of two builds")]
pub(super) struct Names {
    /// Takes two names as one function, such as a proposed rename; OLD=>NEW where a name has a = in it. May be given several times.
    #[arg(long, value_name = "OLD=NEW", value_parser = parse_alias)]
    alias: Vec<(String, String)>,
    /// Keeps a function apart from names that rules or context would match it with. May be given several times.
    #[arg(long, value_name = "NAME")]
    no_alias: Vec<String>,
    /// Matches only equal names, and those of --alias.
    #[arg(long)]
    no_aliases: bool,
}

impl Names {
    /// True where nothing is said.
    pub(super) const fn is_by_default(&self) -> bool {
        self.alias.is_empty() && self.no_alias.is_empty() && !self.no_aliases
    }

    pub(super) fn naming(&self) -> Naming {
        let mut naming = Naming { exact: self.no_aliases, ..Naming::default() };
        for (before, after) in &self.alias {
            naming.accept(before.clone(), after.clone());
        }
        for name in &self.no_alias {
            naming.keep_apart(name.clone());
        }
        naming
    }
}

/// How a picture looks.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pictures")]
pub(super) struct Picture {
    /// Width and height in points, 1600x900 by default; svg takes only the width.
    #[arg(long, value_name = "WxH", value_parser = parse_dimensions)]
    size: Option<(u32, u32)>,
    /// What a png shows.
    #[arg(long = "view", value_name = "WHAT", value_parser = parts(), default_value = "flame")]
    part: String,
    /// Pixels for each point of a png.
    #[arg(long, default_value_t = 1.0, value_parser = parse_scale)]
    pub(super) scale: f32,
    /// Colours.
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    theme: Theme,
}

impl Picture {
    pub(super) fn size(&self) -> (u32, u32) {
        self.size.unwrap_or((1600, 900))
    }

    /// The width where one was asked for.
    pub(super) fn width(&self) -> Option<u32> {
        self.size.map(|(width, _)| width)
    }

    pub(super) fn part(&self) -> picture::Part {
        // The parser lets only these names through.
        picture::Part::from_name(&self.part).unwrap_or_default()
    }

    pub(super) const fn theme(&self) -> PictureTheme {
        match self.theme {
            Theme::Light => PictureTheme::Light,
            Theme::Dark => PictureTheme::Dark,
        }
    }
}

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// The script: one command a line, as the window's log shows them; `print` shows what is in front. - is standard input.
    pub(super) script: PathBuf,
    #[command(flatten)]
    pub(super) picture: Picture,
}

/// What `export` can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// Folded stacks, one line each.
    Folded,
    /// A flame graph with search and zoom, for browsers.
    Svg,
    /// The table of functions, plain numbers.
    Csv,
    /// The whole call tree.
    Json,
    /// The table of functions as Markdown.
    Md,
    /// A page for a review that needs nothing else: the answer, findings, flame graph, facts and notes.
    Html,
    /// A pprof profile, compressed. A comparison is saved as pprof does it: before negated, with the label pprof::base=true.
    #[value(name = "pb.gz")]
    PbGz,
    /// A pprof profile, not compressed.
    Pb,
    /// A picture of the flame graph.
    Png,
}

/// Colours of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// One pattern for what any of several matches, as with grep's -e.
fn any_of(patterns: &[String]) -> Option<String> {
    patterns.iter().cloned().reduce(|all, pattern| or(&all, &pattern))
}

/// The names that `--normalize` takes.
fn normalizations() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Normalization::ALL.map(|how| how.name()))
}

/// The names that `--by` takes.
fn granularities() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Granularity::ALL.map(Granularity::name))
}

fn parts() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(picture::Part::ALL.map(picture::Part::name))
}

/// What is looked at: sample type, granularity, filters.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "What is looked at")]
pub(super) struct View {
    /// The sample type by name, as info lists it; the capture's own default otherwise.
    #[arg(long, short = 't', value_name = "TYPE")]
    pub(super) sample_type: Option<String>,
    /// What a row or box stands for.
    #[arg(long, value_name = "WHAT", value_parser = granularities(), default_value = "function")]
    by: String,
    /// Keeps only samples with a frame whose function, file or module matches the expression: case-sensitive, anywhere in the name, as in pprof.
    /// This and the other options with an expression may be given several times: what one of them matches counts.
    #[arg(long, value_name = "REGEX", value_parser = parse_expression)]
    focus: Vec<String>,
    /// Drops samples with a frame that matches.
    #[arg(long, value_name = "REGEX", value_parser = parse_expression)]
    ignore: Vec<String>,
    /// Leaves matching frames out of the stacks; their values go to their callers.
    #[arg(long, visible_alias = "merge", value_name = "REGEX", value_parser = parse_expression)]
    hide: Vec<String>,
    /// Leaves all other frames out of the stacks, in the same way: pprof's -show.
    #[arg(long, value_name = "REGEX", value_parser = parse_expression)]
    show: Vec<String>,
    /// Lets stacks begin at their outermost frame that matches, and drops samples without one.
    #[arg(long, value_name = "REGEX", value_parser = parse_expression)]
    show_from: Vec<String>,
    /// Keeps only samples on one path, which begin at its last frame: names from the outermost one on, as folded stacks have them (main;a;b).
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    subtree: Option<SubtreePath>,
    /// Makes what the outermost matching frame of a stack calls its own value.
    #[arg(long, value_name = "REGEX", value_parser = parse_expression)]
    collapse: Vec<String>,
    /// The same from the innermost frame on whose function matches by name, as pprof's -prune_from does.
    #[arg(long, value_name = "REGEX", value_parser = parse_expression)]
    prune_from: Vec<String>,
    /// Leaves one frame of a recursion, from the outermost to the innermost one of a function; of matching ones, or of all.
    #[arg(long, value_name = "REGEX", num_args = 0..=1, require_equals = true, default_missing_value = EVERYTHING, value_parser = parse_expression)]
    collapse_recursion: Vec<String>,
    /// The same for functions that call themselves directly.
    #[arg(long, value_name = "REGEX", num_args = 0..=1, require_equals = true, default_missing_value = EVERYTHING, value_parser = parse_expression)]
    collapse_direct_recursion: Vec<String>,
    /// Leaves frames out that the compiler put into their callers; their values go to these, as with pprof's -noinlines.
    #[arg(long, visible_aliases = ["noinlines", "no-inline"])]
    no_inlines: bool,
    /// Shows the frames too that a capture itself asks to drop (pprof's drop_frames), as pprof's -all_frames does.
    #[arg(long)]
    all_frames: bool,
    /// Percentages are of what the filters leave, and not of all, as with pprof's -relative_percentages.
    #[arg(long)]
    relative_percentages: bool,
    /// Keeps only samples of a thread, by name or number. May be given several times.
    #[arg(long, value_name = "THREAD")]
    pub(super) thread: Vec<String>,
    /// Keeps only samples with this label; several values of one key are alternatives.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_label)]
    label: Vec<(String, String)>,
    /// Keeps only samples whose labels match, as pprof's -tagfocus does: `endpoint=^/cart`, or a range of numbers such as `bytes=4kb:64kb` (`:64kb`, `4mb:`); without a
    /// key any label counts. Given several times, all must match.
    #[arg(long, value_name = "[KEY=]REGEX|RANGE", value_parser = parse_tags)]
    tagfocus: Vec<String>,
    /// Drops samples whose labels match; of several, one is enough.
    #[arg(long, value_name = "[KEY=]REGEX|RANGE", value_parser = parse_tags)]
    tagignore: Vec<String>,
    /// Lets stacks begin with what their samples have of a key: `thread`, `process`, or a label, as pprof's -tagroot does. Several, separated by commas, one below
    /// the other.
    #[arg(long, visible_alias = "tagroot", value_name = "KEY", value_delimiter = ',')]
    pub(super) group_by: Vec<String>,
    /// Lets stacks end with it, as pprof's -tagleaf does.
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    pub(super) tagleaf: Vec<String>,
}

impl Export {
    pub(super) fn normalization(&self) -> Option<Normalization> {
        self.normalize.as_deref().and_then(Normalization::from_name)
    }
}

impl View {
    pub(super) fn by(&self) -> Granularity {
        // The parser lets only these names through.
        Granularity::from_name(&self.by).unwrap_or_default()
    }

    /// True where neither a sample type nor a granularity was chosen.
    pub(super) fn is_by_default(&self) -> bool {
        self.sample_type.is_none() && self.by() == Granularity::Function
    }

    /// The filter; threads still as the user wrote them.
    pub(super) fn filter(&self) -> Filter {
        Filter {
            threads: self.thread.clone(),
            labels: self.label.clone(),
            tag_focus: self.tagfocus.clone(),
            tag_ignore: self.tagignore.clone(),
            time: None,
            focus: any_of(&self.focus),
            ignore: any_of(&self.ignore),
            hide: any_of(&self.hide),
            show: any_of(&self.show),
            show_from: any_of(&self.show_from),
            subtree: self.subtree.clone().map(|path| path.0).unwrap_or_default(),
            collapse: any_of(&self.collapse),
            prune_from: any_of(&self.prune_from),
            recursion: any_of(&self.collapse_recursion),
            direct_recursion: any_of(&self.collapse_direct_recursion),
            all_frames: self.all_frames,
            of_filtered: self.relative_percentages,
            no_inlines: self.no_inlines,
            group_by: self.group_by.clone(),
            group_leaves: self.tagleaf.clone(),
        }
    }
}

/// The whole command line, with the formats that this build reads.
pub(super) fn command() -> clap::Command {
    let width = FORMATS.iter().map(|format| format.name().len()).max().unwrap_or(0);
    let formats: Vec<String> = FORMATS.iter().map(|format| format!("  {:<width$}  {}", format.name(), format.summary())).collect();
    let codes = "  0    done
  1    a capture cannot be read, or not analysed as asked
  2    the command line is wrong
  3    regressions were found (diff --fail-on-regression)
  130  cancelled";
    Args::command()
        .after_help(format!("Formats, found by content, through gzip, zlib, zstd, xz and bzip2, and in zip and tar (FILE!MEMBER names one of several):\n{}\n\nExit codes:\n{codes}", formats.join("\n")))
}

fn version() -> &'static str {
    static VERSION: std::sync::LazyLock<String> = std::sync::LazyLock::new(crate::version);
    VERSION.as_str()
}

/// Addresses of servers, or the word for those of the environment.
fn parse_servers(text: &str) -> Result<Debuginfod, String> {
    if text == "env" {
        return Debuginfod::new(&servers_of_environment().ok_or("DEBUGINFOD_URLS is not set")?);
    }
    Debuginfod::new(text)
}

/// A number of bytes as people write it: 1048576, 500MB, 8G.
fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    // `8G` as dd, ulimit and the like take it.
    let short = text.ends_with(['k', 'K', 'm', 'M', 'g', 'G']);
    let parsed = if short { parse_human(&format!("{text}b")) } else { parse_human(text) };
    match parsed {
        Some((bytes, Unit::Memory(_) | Unit::Count)) if bytes >= 1.0 && bytes <= inflate_limit() => Ok(bytes as u64),
        _ => Err("wanted a size such as 1048576, 500MB or 8GB".to_owned()),
    }
}

/// Above this a double does not hold every byte count, and no machine has as much memory.
const fn inflate_limit() -> f64 {
    (inflate::DEFAULT_CAP_BYTES << 10) as f64
}

fn parse_dimensions(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X', '×']).and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides
        .filter(|&(width, height): &(u32, u32)| (16..=32_768).contains(&width) && (16..=32_768).contains(&height))
        .ok_or_else(|| "wanted WIDTHxHEIGHT such as 1600x900, each from 16 to 32768".to_owned())
}

fn parse_scale(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|scale| (0.25..=8.0).contains(scale)).ok_or_else(|| "wanted a number from 0.25 to 8".to_owned())
}

fn parse_part(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|part| (0.0..1.0).contains(part)).ok_or_else(|| "wanted a number from 0 to below 1".to_owned())
}

fn parse_growth(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|part| (0.001..=10.0).contains(part)).ok_or_else(|| "wanted a number from 0.001 to 10".to_owned())
}

fn parse_alias(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once("=>").or_else(|| text.split_once('='));
    let pair = pair.map(|(old, new)| (old.trim(), new.trim())).filter(|(old, new)| !old.is_empty() && !new.is_empty());
    pair.map(|(old, new)| (old.to_owned(), new.to_owned())).ok_or_else(|| "wanted OLD=NEW, or OLD=>NEW".to_owned())
}

/// A pattern for each frame of a path.
#[derive(Clone, Debug)]
struct SubtreePath(Vec<String>);

fn parse_path(text: &str) -> Result<SubtreePath, String> {
    let names: Vec<&str> = text.split(';').map(str::trim).collect();
    if names.iter().any(|name| name.is_empty()) {
        return Err("wanted names between semicolons, the outermost one first: main;a;b".to_owned());
    }
    Ok(SubtreePath(names.into_iter().map(|name| exactly(&[name.to_owned()])).collect()))
}

/// A condition on labels, as it is written.
fn parse_tags(text: &str) -> Result<String, String> {
    Tags::parse(text).map(|_| text.to_owned())
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| "wanted KEY=VALUE; an empty VALUE means samples without the label".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in [("1048576", 1 << 20), ("8GB", 8 << 30), ("8G", 8 << 30), ("500 MiB", 500 << 20), ("1.5k", 1536)] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "big", "-1", "5s", "0", "1e30", "99999999GB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_after_the_first_are_never_subcommands() {
        let args = |line: &str| Args::try_parse_from(line.split(' ')).unwrap();
        assert_eq!(args("emberlens a.pb info").files.len(), 2);
        assert_eq!(args("emberlens ./info").files.len(), 1);
        assert!(matches!(args("emberlens --threads 2 info x").command, Some(Subcommand::Info(_))));
        assert_eq!(args("emberlens -d top info").diff.map(|files| files.len()), Some(2));
        assert!(args("emberlens info x --no-symbols").global.no_symbols);
    }
}
