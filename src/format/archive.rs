//! Archives with captures: which members are captures, and reading the one that is meant.
//!
//! A member is named by its path behind the archive's, `captures.zip!before/cpu.pb.gz`; without a name the archive must hold exactly
//! one capture. An archive in an archive is opened too, one level deep: `a.zip!b.tar.gz!cpu.pb`. A capture that is a folder of the archive
//! (`perf record --threads`) is one capture, named by the folder or by any file of it. Deliberately absent: writing archives. Start
//! reading at `read`.

use super::perf_data::folder;
use super::{FORMATS, HEAD_BYTES, Input, Member, Part, ReadCx, ReadError, Sniff};
use crate::base::archive::{self, Archive, ArchiveError, Kind};
use crate::base::inflate::{self, Container};
use crate::base::ticket::Ticket;
use crate::model::{Profile, base_name, counted, kind};

/// What stands between an archive's path and a member's.
pub const SEPARATOR: char = '!';

/// How deep archives in archives are opened.
const MAX_DEPTH: usize = 2;

/// Bytes of members after which no more of them are looked at: some seconds of inflating.
const MAX_LOOKED_BYTES: u64 = 1 << 30;

/// Compressed bytes that are enough to see what is inside.
const PACKED_HEAD_BYTES: usize = 4096;

/// Members that an error lists.
const MAX_LISTED: usize = 20;

/// Reads the member that `cx` names, or the only capture.
pub(super) fn read(archive_kind: Kind, bytes: &[u8], cx: &ReadCx<'_>, depth: usize) -> Result<Profile, ReadError> {
    let format = archive_kind.name();
    let fail = |doing: &'static str, error: ArchiveError| match error {
        ArchiveError::Cancelled => ReadError::cancelled(),
        error => ReadError::new(format, 0, doing, error.to_string()),
    };
    if depth >= MAX_DEPTH {
        return Err(ReadError::new(format, 0, "opening the archive", "it is the third archive inside another; take it out first"));
    }
    let mut archive = Archive::open(archive_kind, bytes, cx.ticket).map_err(|error| fail("listing its members", error))?;
    let mut unseen = 0;
    let (member, rest) = if let Some(name) = cx.member {
        find(&archive.members, name).ok_or_else(|| not_there(format, name, &archive.members))?
    } else {
        let only = only(&mut archive, format, cx.ticket)?;
        unseen = only.1;
        (only.0, None)
    };
    let (member, beside) = folder_of(&mut archive, &member).unwrap_or((member, Vec::new()));
    let mut left = cx.max_bytes;
    let mut damages = Vec::new();
    let mut take = |member: &archive::Member| {
        let (content, damage) = archive.extract(member, left, cx.ticket).map_err(|error| {
            let what = format!("{error} ({})", member.path);
            if matches!(error, ArchiveError::Cancelled) {
                ReadError::cancelled()
            } else {
                ReadError::new(format, 0, "taking out a member", what)
            }
        })?;
        left = left.saturating_sub(content.len() as u64);
        damages.extend(damage);
        Ok::<_, ReadError>(content)
    };
    let content = take(&member)?;
    let beside = beside.iter().map(|member| Ok((base_name(&member.path), take(member)?))).collect::<Result<Vec<_>, ReadError>>()?;
    let parts: Vec<Part<'_>> = beside.iter().map(|(name, bytes)| Part { name, bytes }).collect();
    let inner = Input { bytes: &content, name: base_name(&member.path) };
    let inner_cx = ReadCx { member: rest, parts: &parts, ..*cx };
    let mut profile = super::read_at(&inner, &inner_cx, depth + 1).map_err(|error| error.inside(&member.path))?;
    profile.info.container = match archive_kind {
        Kind::Zip => Container::Zip,
        Kind::Tar => Container::Tar,
    };
    let path = profile.info.fact("member").map_or_else(|| member.path.clone(), |inner| format!("{}{SEPARATOR}{inner}", member.path));
    profile.info.facts.retain(|(key, _)| key != "member");
    profile.info.facts.push(("member".to_owned(), path));
    if unseen > 0 {
        profile.notes.add(kind::SKIPPED, "files of the archive that were not looked at", unseen as u64, None);
    }
    for damage in damages.iter().chain(&archive.damage) {
        profile.notes.add(kind::CONTAINER_DAMAGED, damage, 1, None);
    }
    Ok(profile)
}

/// The member of that path; the rest of the name goes on inside it.
fn find<'n>(members: &[archive::Member], name: &'n str) -> Option<(archive::Member, Option<&'n str>)> {
    let exact = |path: &str| members.iter().find(|member| member.path == path || member.path.strip_prefix("./") == Some(path)).cloned();
    // A folder is named by its own path, too.
    let in_folder = |path: &str| exact(&format!("{}/{}", path.trim_end_matches('/'), folder::MAIN));
    if let Some(member) = exact(name).or_else(|| in_folder(name)) {
        return Some((member, None));
    }
    name.match_indices(SEPARATOR).find_map(|(at, _)| Some((exact(name.get(..at)?)?, name.get(at + 1..))))
}

/// The main file and the others of the folder that a member belongs to, where `perf record` wrote such a folder.
fn folder_of(archive: &mut Archive<'_>, member: &archive::Member) -> Option<(archive::Member, Vec<archive::Member>)> {
    let name = base_name(&member.path);
    let number = folder::part_number(name);
    if name != folder::MAIN && number.is_none() {
        return None;
    }
    let above = member.path.strip_suffix(name)?;
    let of_folder = |member: &archive::Member| member.path.strip_prefix(above).map(str::to_owned);
    let main = archive.members.iter().find(|member| of_folder(member).as_deref() == Some(folder::MAIN)).cloned()?;
    let mut is_capture = |member: &archive::Member| folder::is_capture(&archive.head(member, folder::MAGIC_BYTES));
    if !is_capture(&main) || (number.is_some() && is_capture(member)) {
        return None;
    }
    let numbered = |member: &archive::Member| Some((folder::part_number(&of_folder(member)?)?, member.clone()));
    let mut parts: Vec<(u64, archive::Member)> = archive.members.iter().filter_map(numbered).collect();
    parts.sort_by_key(|(number, _)| *number);
    Some((main, parts.into_iter().map(|(_, member)| member).collect()))
}

/// The only member that is a capture, and how many members were not looked at; an error with the list where there are several.
fn only(archive: &mut Archive<'_>, format: &'static str, ticket: &Ticket) -> Result<(archive::Member, usize), ReadError> {
    let members = archive.members.clone();
    let mut found = Vec::new();
    let (mut looked, mut seen) = (0_u64, 0);
    for member in &members {
        ticket.check()?;
        if looked > MAX_LOOKED_BYTES {
            break;
        }
        looked += member.size.min(HEAD_BYTES as u64);
        seen += 1;
        let folder = folder_of(archive, member);
        if folder.as_ref().is_some_and(|(main, _)| main != member) {
            continue;
        }
        if let Some(kind) = recognise(archive, member) {
            let beside = folder.map_or(0, |(_, parts)| parts.iter().map(|part| part.size).sum());
            found.push((member, member.size.saturating_add(beside), kind));
        }
    }
    let unseen = members.len() - seen;
    let rest = if unseen == 0 { String::new() } else { format!("; {} were not looked at", counted(unseen as u64, "file", "files")) };
    match found.as_slice() {
        [(member, ..)] => return Ok(((*member).clone(), unseen)),
        [] => {
            // One file that nobody knows: its own error says most.
            if let [member] = members.as_slice() {
                return Ok((member.clone(), 0));
            }
            let what = match members.len() {
                0 => "it holds no files".to_owned(),
                count => {
                    let list = listed(members.iter().map(|member| (member.path.as_str(), None)));
                    format!("none of its {count} files is a capture: {list}{rest}")
                }
            };
            return Err(ReadError::new(format, 0, "looking for captures", what));
        }
        _ => {}
    }
    let list = listed(found.iter().map(|(member, _, kind)| (member.path.as_str(), Some(*kind))));
    let what = format!("it holds {} captures; name one behind a `{SEPARATOR}` after the archive's path: {list}{rest}", found.len());
    let choice = found.into_iter().map(|(member, size, kind)| Member { path: member.path.clone(), size, kind }).collect();
    Err(ReadError::new(format, 0, "choosing a capture", what).with_members(choice))
}

fn listed<'m>(members: impl ExactSizeIterator<Item = (&'m str, Option<&'static str>)>) -> String {
    let count = members.len();
    let mut names: Vec<String> =
        members.take(MAX_LISTED).map(|(path, kind)| kind.map_or_else(|| path.to_owned(), |kind| format!("{path} ({kind})"))).collect();
    if count > MAX_LISTED {
        names.push(format!("and {} more", count - MAX_LISTED));
    }
    names.join(", ")
}

fn not_there(format: &'static str, name: &str, members: &[archive::Member]) -> ReadError {
    let list = listed(members.iter().map(|member| (member.path.as_str(), None)));
    ReadError::new(format, 0, "looking for the member", format!("there is no {name}; there are {list}"))
}

/// What a member is: the format that is sure of its first bytes (behind one layer of compression), an archive, or `None`.
fn recognise(archive: &mut Archive<'_>, member: &archive::Member) -> Option<&'static str> {
    if member.encrypted {
        return Some("encrypted");
    }
    let head = archive.head(member, HEAD_BYTES as u64);
    let packed = inflate::container_of(&head);
    let plain = match packed {
        Container::None => head,
        // Blocks of these are larger than what was read: they are taken at their word.
        Container::Xz | Container::Bzip2 => return Some(packed.name()),
        _ => {
            let some = head.get(..PACKED_HEAD_BYTES).unwrap_or(&head);
            inflate::peel(some, 8 << 20, &Ticket::new()).ok()?.bytes.into_owned()
        }
    };
    if let Some(kind) = Kind::of(&plain) {
        return Some(kind.name());
    }
    let seen = plain.get(..HEAD_BYTES).unwrap_or(&plain);
    FORMATS.iter().find(|format| format.sniff(seen) == Sniff::Yes).map(|format| format.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::packed::{gz, zip};
    use crate::format::read;

    fn open(bytes: &[u8], member: Option<&str>) -> Result<Profile, ReadError> {
        let ticket = Ticket::new();
        read(&Input { bytes, name: "x.zip" }, &ReadCx { member, ..ReadCx::new(&ticket) })
    }

    const ONE: &[u8] = b"main;a 1\nmain;b 2\n";
    const TWO: &[u8] = b"main;a 10\nmain;b 20\n";

    #[test]
    fn the_only_capture_opens_and_one_of_several_is_chosen_by_name() {
        let only = zip(&[("README.md", b"# What this is\n"), ("deep/in/it.folded.gz", &gz(ONE))]);
        let profile = open(&only, None).unwrap();
        assert_eq!(
            (profile.total(0), profile.info.container, profile.info.fact("member")),
            (3, Container::Zip, Some("deep/in/it.folded.gz"))
        );
        let two = zip(&[("before.folded", ONE), ("after.folded", TWO), ("notes", b"nothing")]);
        let error = open(&two, None).unwrap_err();
        let found: Vec<_> = error.members().iter().map(|member| (member.path.as_str(), member.size, member.kind)).collect();
        assert_eq!(found, [("before.folded", 18, "folded"), ("after.folded", 20, "folded")]);
        assert!(error.to_string().contains("it holds 2 captures"), "{error}");
        assert_eq!(open(&two, Some("after.folded")).unwrap().total(0), 30);
        let error = open(&two, Some("other")).unwrap_err().to_string();
        assert!(error.contains("there is no other; there are before.folded, after.folded, notes"), "{error}");
    }

    #[test]
    fn an_archive_in_an_archive_opens_and_a_third_does_not() {
        let inner = zip(&[("a!b.folded", ONE), ("c.folded", TWO)]);
        let outer = zip(&[("inner.zip", &inner)]);
        assert_eq!(open(&outer, Some("inner.zip!a!b.folded")).unwrap().total(0), 3);
        let profile = open(&outer, Some("inner.zip!c.folded")).unwrap();
        assert_eq!((profile.total(0), profile.info.fact("member")), (30, Some("inner.zip!c.folded")));
        let error = open(&outer, None).unwrap_err();
        assert_eq!(
            error.members().iter().map(|member| member.path.as_str()).collect::<Vec<_>>(),
            ["inner.zip!a!b.folded", "inner.zip!c.folded"]
        );
        let third = zip(&[("outer.zip", &outer)]);
        let error = open(&third, None).unwrap_err().to_string();
        assert!(error.contains("third archive"), "{error}");
    }

    #[test]
    fn all_members_are_looked_at() {
        let names: Vec<String> = (0..1500).map(|number| format!("{number}.folded")).collect();
        let mut files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), ONE)).collect();
        assert_eq!(open(&zip(&files), None).unwrap_err().members().len(), 1500);
        for file in files.iter_mut().rev().skip(1) {
            file.1 = b"nothing";
        }
        assert_eq!(open(&zip(&files), None).unwrap().info.fact("member"), Some("1499.folded"));
    }

    #[test]
    fn archives_without_captures_say_so() {
        let error = open(&zip(&[("a", b"x"), ("b", b"y")]), None).unwrap_err().to_string();
        assert!(error.contains("none of its 2 files is a capture: a, b"), "{error}");
        assert!(open(&zip(&[]), None).unwrap_err().to_string().contains("it holds no files"));
        let error = open(ONE, Some("x")).unwrap_err().to_string();
        assert!(error.contains("is no archive"), "{error}");
    }
}
