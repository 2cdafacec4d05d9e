//! `emberlens run`: a command script drives the whole program without its window.

use std::io::{self, Read as _};
use std::process::ExitCode;

use super::{Failure, Hooks, args, output};
use crate::app::load::LoadOptions;
use crate::app::picture::PictureRequest;
use crate::app::script::{self, Line};
use crate::app::{App, Command, Effect, Options};

pub(super) fn run(args: &args::Run, load: &LoadOptions, hooks: &Hooks) -> Result<ExitCode, Failure> {
    let text = read(args)?;
    let path = args.script.display();
    let mut lines = script::parse(&text).map_err(|why| Failure::Failed(format!("reading the script: {why}\n{path}")))?;
    // Without a window there is nothing to close: the script ends here.
    if let Some(end) = lines.iter().position(|line| *line == Line::Do(Command::Quit)) {
        lines.truncate(end);
    }
    let mut app = App::new(Options { inline: true, load: load.clone(), ..Options::default() });
    // What the script prints goes out line by line, so that a failure later loses nothing.
    let mut closed = Ok(());
    let mut print = |text: &str| {
        if closed.is_ok() {
            closed = output::print(text.as_bytes());
        }
    };
    let mut effect = |app: &App, effect: Effect| do_effect(app, effect, args, hooks);
    let done = script::run(&mut app, &lines, &mut effect, &mut print);
    closed?;
    done.map_err(|why| Failure::Failed(format!("{why}\n{path}")))?;
    Ok(ExitCode::SUCCESS)
}

fn read(args: &args::Run) -> Result<String, Failure> {
    let mut text = String::new();
    let result = if args.script.as_os_str() == "-" {
        io::stdin().lock().read_to_string(&mut text)
    } else {
        std::fs::File::open(&args.script).and_then(|mut file| file.read_to_string(&mut text))
    };
    result.map_err(|error| Failure::Failed(format!("reading the script: {error}\n{}", args.script.display())))?;
    Ok(text)
}

/// Does for a script what the window does for a person.
fn do_effect(app: &App, effect: Effect, args: &args::Run, hooks: &Hooks) -> Result<(), String> {
    let said = |failure: Failure| match failure {
        Failure::Usage(text) | Failure::Failed(text) => text,
        Failure::Cancelled => "cancelled".to_owned(),
    };
    match effect {
        // Standard output is what a program without a window has for a clipboard.
        Effect::CopyText(text) => output::print(format!("{}\n", text.trim_end_matches('\n')).as_bytes()).map_err(said),
        Effect::SavePicture(path) => {
            let picture = hooks.picture.ok_or("this program was built without the window, which draws pictures; svg needs none")?;
            let look = &args.picture;
            let bytes = picture(&PictureRequest { app, part: look.part(), size: look.size(), scale: look.scale, theme: look.theme() })?;
            output::write(&path, &bytes, app.captures().iter().map(|capture| capture.path.as_path())).map_err(said)
        }
        Effect::FocusSearch | Effect::FocusRemark | Effect::TextSize(_) | Effect::ToggleFullScreen | Effect::Quit => Ok(()),
        Effect::ChooseFiles | Effect::ChooseComparison | Effect::ChooseForSide(_) | Effect::ChooseExport(_) | Effect::ChooseFolder(_) => {
            Err("choosing a file needs the window; name the path in the script".to_owned())
        }
    }
}
