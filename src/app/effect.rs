//! What only a window can do; `App::apply` asks for it, `ui` does it.

use std::path::PathBuf;

use super::view::{CaptureId, Side};
use crate::analysis::part::Part;
use crate::format::Member;

/// A wish to the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Put text on the clipboard.
    CopyText(String),
    /// Let the user choose captures to open.
    ChooseFiles,
    /// Let the user choose the capture to compare with the one shown; with nothing shown, two captures.
    ChooseComparison,
    /// Let the user choose captures that join a side.
    ChooseForSide(Side),
    /// Let the user choose a folder to add to a list.
    ChooseFolder(FolderList),
    /// Let the user choose where to write an export; the file name is a proposal.
    ChooseExport(String),
    /// Put the keyboard into the search box.
    FocusSearch,
    /// Put the keyboard into the field for a remark.
    FocusRemark,
    /// Zoom the window.
    TextSize(TextSize),
    /// Let the window take the whole screen, or no longer.
    ToggleFullScreen,
    /// Write the picture of the current view (only the window can draw it).
    SavePicture(PathBuf),
    /// Close the window.
    Quit,
}

/// How large all of the window is drawn. The window knows the size, which belongs to the screen and not to the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextSize {
    /// A step larger.
    Larger,
    /// A step smaller.
    Smaller,
    /// As the system has it.
    Normal,
}

/// A list of folders that the user keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FolderList {
    /// Where source files are looked for.
    Source,
    /// Where binaries and debug files are looked for.
    Symbols,
}

/// A dialog over the window; at most one is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// Command palette.
    Palette,
    /// List of keys.
    Shortcuts,
    /// What was said lately.
    Messages,
    /// Version, licence.
    About,
    /// A path typed by hand, for where no file dialog exists; the text explains why it is shown.
    OpenPath(String),
    /// The path of the capture to compare with one that is shown, typed by hand; the text explains why.
    OtherPath(PathBuf, String),
    /// Two files came together: which one is before?
    WhichIsBefore(PathBuf, PathBuf),
    /// Several files came together: on which side does each stand?
    WhichSide(Vec<PathBuf>),
    /// Paths of captures that join a side, typed by hand.
    SidePaths(Side),
    /// Which parts are compared: before and after, to begin with.
    Parts(Box<[Part; 2]>),
    /// Where source files or binaries are; the text explains why it is shown.
    Folders(FolderList, String),
    /// A path to export to, typed by hand.
    ExportPath(String),
    /// An archive holds several captures: which shall be opened? The capture that stands for the archive, what opens each, and what each is.
    WhichMember(CaptureId, Vec<(PathBuf, Member)>),
}
