//! Plots, as SVG. Their text is left to the viewer's own sans-serif font.

use std::path::Path;

use anyhow::anyhow;
use plotters::{
    chart::SeriesLabelPosition,
    prelude::{
        ChartBuilder, IntoDrawingArea, IntoLogRange, LineSeries, PathElement, Rectangle, SVGBackend,
    },
    style::{Color, Palette, Palette99, WHITE},
};

/// A plot of some series.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    /// The file's name, without `.svg`.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What stands at the vertical axis, with its unit.
    pub(crate) unit: String,
    pub(crate) shape: Shape,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A group of bars for each name in `groups`, in it a bar of each series.
    Bars { groups: Vec<String>, series: Vec<(String, Vec<f64>)> },
    /// A line of each series over a logarithmic axis; points are x (over 0) and y.
    Lines { axis: String, series: Vec<(String, Vec<(f64, f64)>)> },
}

const SIZE: (u32, u32) = (900, 420);

impl Plot {
    /// The name of its file.
    pub(crate) fn file(&self) -> String {
        format!("{}.svg", self.name)
    }

    /// Draws it into a file in this folder.
    pub(crate) fn draw(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(self.file());
        match &self.shape {
            Shape::Bars { groups, series } => self.bars(&path, groups, series),
            Shape::Lines { axis, series } => self.lines(&path, axis, series),
        }
        .map_err(|error| anyhow!("cannot draw {}: {error}", path.display()))
    }

    fn bars(&self, path: &Path, groups: &[String], series: &[(String, Vec<f64>)]) -> Drawn {
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let highest = series.iter().flat_map(|(_, values)| values).copied().fold(0.0, f64::max);
        let segments = u32::try_from(groups.len())?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(72)
            .build_cartesian_2d(0.0..f64::from(segments), 0.0..highest * 1.3)?;
        let group = |at: &f64| {
            // Labels stand in the middle of a group.
            let index = (0u32..).zip(groups).find(|(i, _)| (f64::from(*i) + 0.5 - at).abs() < 0.01);
            index.map_or_else(String::new, |(_, name)| name.clone())
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(groups.len() * 2 + 1)
            .x_label_formatter(&group)
            .y_desc(&self.unit)
            .draw()?;
        let width = 0.8 / f64::from(u32::try_from(series.len())?);
        for (index, (name, values)) in (0u32..).zip(series) {
            let color = Palette99::pick(index as usize).filled();
            let bars = (0u32..).zip(values).map(|(group, value)| {
                let left = f64::from(group) + 0.1 + width * f64::from(index);
                Rectangle::new([(left, 0.0), (left + width, *value)], color)
            });
            chart
                .draw_series(bars)?
                .label(name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], color));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .draw()?;
        area.present()?;
        Ok(())
    }

    fn lines(&self, path: &Path, axis: &str, series: &[(String, Vec<(f64, f64)>)]) -> Drawn {
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let points = || series.iter().flat_map(|(_, points)| points);
        let (first, last) = points()
            .fold((f64::MAX, 1.0_f64), |(first, last), (x, _)| (first.min(*x), last.max(*x)));
        let highest = points().map(|(_, y)| *y).fold(0.0, f64::max);
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d((first..last * 1.05).log_scale(), 0.0..highest * 1.3)?;
        chart.configure_mesh().x_desc(axis).y_desc(&self.unit).draw()?;
        for (index, (name, points)) in series.iter().enumerate() {
            let style = Palette99::pick(index).stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .draw()?;
        area.present()?;
        Ok(())
    }
}

type Drawn = Result<(), Box<dyn std::error::Error>>;
