/** The parts of ECharts that the console uses; a chunk of its own, loaded with the first chart. */
import { BarChart, GaugeChart, HeatmapChart, LineChart, PieChart, SankeyChart } from "echarts/charts";
import {
  AxisPointerComponent,
  BrushComponent,
  DatasetComponent,
  GraphicComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  MarkPointComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([
  AxisPointerComponent,
  BarChart,
  BrushComponent,
  CanvasRenderer,
  DatasetComponent,
  GaugeChart,
  GraphicComponent,
  GridComponent,
  HeatmapChart,
  LegendComponent,
  LineChart,
  MarkAreaComponent,
  MarkLineComponent,
  MarkPointComponent,
  PieChart,
  SankeyChart,
  SVGRenderer,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
]);

export { init };
