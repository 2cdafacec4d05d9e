//! What captures are called on screen: by their files, with folders where several files have one name.
//!
//! Deliberately absent: what stands in a file about itself. Start reading at [`short`].

use std::path::{Component, Path};

use super::view::CaptureId;
use super::{App, Capture};
use crate::analysis::part::Part;

/// A file's name. Where others have the same name, with the shortest folders that tell it apart from each of them: `run-1/cpu.pprof`,
/// `a/…/cpu.pprof`.
pub fn short<'a>(path: &Path, others: impl Iterator<Item = &'a Path>) -> String {
    let Some(name) = path.file_name() else { return path.display().to_string() };
    let deepest = others.filter(|other| other.file_name() == Some(name)).map(|other| first_difference(path, other)).max().unwrap_or(0);
    let name = name.to_string_lossy();
    let folder = |up: usize| {
        let folder = path.components().rev().nth(up).filter(|part| matches!(part, Component::Normal(_)));
        folder.map_or_else(String::new, |part| part.as_os_str().to_string_lossy().into_owned())
    };
    match deepest {
        0 => name.into_owned(),
        1 => format!("{}/{name}", folder(1)),
        2 => format!("{}/{}/{name}", folder(2), folder(1)),
        _ => format!("{}/…/{name}", folder(deepest)),
    }
}

/// How many folders above the files two paths part; 0 where they are one.
fn first_difference(one: &Path, two: &Path) -> usize {
    let (mut one, mut two) = (one.components().rev(), two.components().rev());
    let mut up = 0;
    loop {
        match (one.next(), two.next()) {
            (None, None) => return 0,
            // The shorter path has nothing more to say: it is told apart by what it has.
            (None, Some(_)) => return up - 1,
            (a, b) if a != b => return up,
            _ => up += 1,
        }
    }
}

impl App {
    /// What a capture is called, among those that are open.
    pub fn name_of(&self, capture: &Capture) -> String {
        let known = self.names.iter().find(|(id, _)| *id == capture.id);
        known.map_or_else(|| self.name_among(capture), |(_, name)| name.clone())
    }

    fn name_among(&self, capture: &Capture) -> String {
        short(&capture.path, self.captures.iter().filter(|other| other.id != capture.id).map(|other| other.path.as_path()))
    }

    /// Compares the paths of the captures with each other, once for each choice of them: panels ask for names in every frame.
    pub(super) fn name_captures(&mut self) {
        if !self.captures.iter().map(|capture| capture.id).eq(self.names.iter().map(|(id, _)| *id)) {
            self.names = self.captures.iter().map(|capture| (capture.id, self.name_among(capture))).collect();
        }
    }

    /// The same with the part that is looked at: `x.data [0s..10s]`.
    pub fn name_of_part(&self, capture: &Capture, part: &Part) -> String {
        let name = self.name_of(capture);
        if part.is_whole() { name } else { format!("{name} [{}]", part.words()) }
    }

    /// The sides shown by name, before first, each with what part of it is compared: `run-1.pb.gz + 4 more`.
    pub fn shown_names(&self) -> Vec<String> {
        let name = |(ids, part): (Vec<CaptureId>, Part)| {
            let first = self.name_of_part(self.capture(*ids.first()?)?, &part);
            Some(if ids.len() > 1 { format!("{first} + {} more", ids.len() - 1) } else { first })
        };
        self.view.sides().into_iter().zip(self.parts()).filter_map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Command, Options};

    #[test]
    fn equal_names_have_the_folders_that_tell_them_apart() {
        let names = |paths: &[&str]| {
            let of = |at: usize| {
                let others = paths.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, path)| Path::new(*path));
                short(Path::new(paths[at]), others)
            };
            (0..paths.len()).map(of).collect::<Vec<_>>()
        };
        assert_eq!(names(&["/a/x/cpu.pprof", "/a/y/heap.pprof"]), ["cpu.pprof", "heap.pprof"]);
        assert_eq!(names(&["/a/x/cpu.pprof", "/a/y/cpu.pprof", "/z/go"]), ["x/cpu.pprof", "y/cpu.pprof", "go"]);
        assert_eq!(names(&["/a/x/cpu.pprof", "/b/x/cpu.pprof"]), ["a/x/cpu.pprof", "b/x/cpu.pprof"]);
        assert_eq!(names(&["/a/1/2/cpu.pprof", "/b/1/2/cpu.pprof"]), ["a/…/cpu.pprof", "b/…/cpu.pprof"]);
        assert_eq!(names(&["/r/a/x/c", "/r/b/x/c", "/r/b/y/c"]), ["a/x/c", "b/x/c", "y/c"], "each by what it needs");
        assert_eq!(names(&["x/cpu.pprof", "cpu.pprof"]), ["x/cpu.pprof", "cpu.pprof"]);
        assert_eq!(names(&["/a/cpu.pprof", "/a/cpu.pprof"]), ["cpu.pprof", "cpu.pprof"], "one file");
    }

    #[test]
    fn names_follow_what_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3/orders-cpu-after.pb.gz");
        let paths = ["a", "b"].map(|name| folder.path().join(name).join("cpu.pb.gz"));
        for path in &paths {
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            std::fs::copy(&sample, path).unwrap();
        }
        let mut app = App::new(Options { inline: true, ..Options::default() });
        let names = |app: &App| app.captures().iter().map(|capture| app.name_of(capture)).collect::<Vec<_>>();
        let [first, second] = paths;
        app.apply(Command::Open(vec![first]));
        assert_eq!(names(&app), ["cpu.pb.gz"]);
        app.apply(Command::Open(vec![second]));
        assert_eq!(names(&app), ["a/cpu.pb.gz", "b/cpu.pb.gz"]);
        let first = app.captures()[0].id;
        app.apply(Command::Close(first));
        assert_eq!(names(&app), ["cpu.pb.gz"]);
    }
}
