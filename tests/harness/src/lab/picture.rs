//! Pictures of results: panels one below the other in an SVG file.

use anyhow::{Result, anyhow};
use plotters::{coord::Shift, prelude::*};
use std::path::Path;

const WIDTH: u32 = 900;
/// Height of a panel of lines.
const LINES: u32 = 300;
/// Height of a bar and the gap to the next.
const BAR: u32 = 26;
/// Height of a panel of bars without bars: its title, and the gap to the next panel.
const TITLE: u32 = 44;
const FONT: &str = "sans-serif";

/// A panel.
pub enum Panel {
    /// Values over time.
    Lines {
        /// What is shown.
        title: String,
        /// Names of the axes.
        axes: (&'static str, &'static str),
        /// A name and its points.
        series: Vec<(String, Vec<(f64, f64)>)>,
    },
    /// One bar a name.
    Bars {
        /// What is shown, with its unit.
        title: String,
        /// Names and values.
        bars: Vec<(String, f64)>,
    },
}

impl Panel {
    /// As much room as its content needs.
    fn height(&self) -> u32 {
        match self {
            Self::Lines { .. } => LINES,
            Self::Bars { bars, .. } => TITLE + bars.iter().map(|_| BAR).sum::<u32>(),
        }
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the panels.
pub fn draw(path: &Path, panels: &[Panel]) -> Result<()> {
    let height = panels.iter().map(Panel::height).sum::<u32>().max(1);
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE).map_err(drawing)?;
    let mut rest = root.clone();
    for panel in panels {
        let (area, below) = rest.split_vertically(panel.height());
        match panel {
            Panel::Lines { title, axes, series } => lines(&area, title, *axes, series)?,
            Panel::Bars { title, bars } => self::bars(&area, title, bars)?,
        }
        rest = below;
    }
    root.present().map_err(drawing)
}

fn lines(area: &Area<'_>, title: &str, axes: (&str, &str), series: &[(String, Vec<(f64, f64)>)]) -> Result<()> {
    let points = || series.iter().flat_map(|(_, points)| points);
    let right = points().map(|point| point.0).fold(1.0, f64::max);
    let top = points().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..right, 0.0..top)
        .map_err(drawing)?;
    chart.configure_mesh().x_desc(axes.0).y_desc(axes.1).draw().map_err(drawing)?;
    for (number, (name, points)) in series.iter().enumerate() {
        let colour = Palette99::pick(number).to_rgba();
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))
            .map_err(drawing)?
            .label(name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
        .map_err(drawing)
}

/// Horizontal bars with their values at the ends.
fn bars(area: &Area<'_>, title: &str, bars: &[(String, f64)]) -> Result<()> {
    let longest = bars.iter().map(|bar| bar.1).fold(f64::MIN_POSITIVE, f64::max);
    let area = area.titled(title, (FONT, 18)).map_err(drawing)?;
    let (width, _) = area.dim_in_pixel();
    let step = i32::try_from(BAR)?;
    let (left, room) = (230, f64::from(width) - 340.0);
    for (number, (name, value)) in (0..).zip(bars) {
        let (top, middle) = (number * step + step / 6, number * step + step / 2 - 7);
        // Pixels: a fraction of one does not matter.
        #[allow(clippy::cast_possible_truncation)]
        let right = left + (room * value / longest) as i32;
        let colour = Palette99::pick(number as usize).to_rgba();
        let bar = Rectangle::new([(left, top), (right.max(left + 1), top + step * 2 / 3)], colour.filled());
        area.draw(&bar).map_err(drawing)?;
        let font = (FONT, 14).into_font();
        area.draw(&Text::new(name.as_str(), (8, middle), font.clone())).map_err(drawing)?;
        area.draw(&Text::new(number_text(*value), (right + 6, middle), font)).map_err(drawing)?;
    }
    Ok(())
}

/// As many digits as mean something.
fn number_text(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn drawing(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the picture: {error}")
}
