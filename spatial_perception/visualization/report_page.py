"""The report's page: styles, script and places for the content (`string.Template`)."""

from __future__ import annotations

from typing import Final

_STYLE: Final = """
:root{--ground:#fff;--panel:#f6f8fa;--line:#d0d7de;--text:#1f2328;--dim:#59636e;--accent:#0969da;
color-scheme:light}
:root[data-theme=dark]{--ground:#0d1117;--panel:#161b22;--line:#30363d;--text:#e6edf3;
--dim:#8b949e;--accent:#58a6ff;color-scheme:dark}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:1280px;margin:0 auto;padding:20px 20px 60px}
header{display:flex;align-items:baseline;justify-content:space-between;gap:16px}
h1{font-size:24px;margin:6px 0 12px;overflow-wrap:anywhere}
h2{font-size:18px;margin:36px 0 12px;padding-bottom:6px;border-bottom:1px solid var(--line)}
h3{font-size:14px;margin:20px 0 8px;color:var(--dim);font-weight:600}
dl{display:flex;flex-wrap:wrap;gap:10px;margin:0 0 18px}
dl div{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:8px 14px}
dt{font-size:12px;color:var(--dim)}dd{margin:0;font-size:17px;font-weight:600}
button{background:var(--panel);color:var(--text);border:1px solid var(--line);border-radius:6px;
padding:5px 12px;font:inherit;cursor:pointer}
button:hover{border-color:var(--accent)}
img{display:block;max-width:100%;border-radius:6px;background:#0d1117}
.player img{width:100%}
.controls{display:flex;gap:12px;align-items:center;margin-top:10px}
.controls input{flex:1;accent-color:var(--accent)}
output{color:var(--dim);font-variant-numeric:tabular-nums;white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--line)}
th:first-child,td:first-child,td:nth-child(2){text-align:left}
tr:first-child th{color:var(--dim);font-weight:500}
tr:first-child th:nth-child(2),tr:first-child th:nth-child(7){text-align:left}
td:nth-child(2){overflow-wrap:anywhere}
th{font-weight:600}
.bar{position:relative;height:8px;min-width:120px}
.bar i,.bar b{position:absolute;left:0;top:0;height:100%;border-radius:4px;background:var(--accent)}
.bar i{opacity:.3}
.pair,.shots{display:grid;gap:14px}
.pair{grid-template-columns:repeat(auto-fit,minmax(420px,1fr))}
.shots{grid-template-columns:repeat(auto-fit,minmax(340px,1fr))}
.shots figure:first-child{grid-column:1/-1}
figure{margin:0}figcaption{font-size:12px;color:var(--dim);margin-top:4px}
.chart{width:100%;background:var(--panel);border:1px solid var(--line);border-radius:8px}
.chart text{font-size:11px;fill:var(--dim)}.chart .rule{stroke:var(--line)}
.legend{display:flex;flex-wrap:wrap;gap:14px;font-size:13px;margin-bottom:8px}
.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}
.legend em{color:var(--dim);font-style:normal}
"""

_SCRIPT: Final = """
const root = document.documentElement;
const dark = matchMedia('(prefers-color-scheme: dark)');
root.dataset.theme = dark.matches ? 'dark' : 'light';
document.getElementById('theme').onclick = () => {
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
};
const frames = JSON.parse(document.getElementById('frames').textContent);
if (frames.length) {
  const image = document.getElementById('frame'), slider = document.getElementById('slider');
  const label = document.getElementById('label'), play = document.getElementById('play');
  let timer = null;
  const show = (index) => {
    slider.value = (index + frames.length) % frames.length;
    image.src = frames[slider.value].src;
    label.textContent = frames[slider.value].label;
  };
  const stop = () => { clearInterval(timer); timer = null; play.innerHTML = '&#9654;'; };
  const start = () => {
    timer = setInterval(() => show(Number(slider.value) + 1), 200);
    play.innerHTML = '&#10074;&#10074;';
  };
  slider.oninput = () => { stop(); show(Number(slider.value)); };
  play.onclick = () => (timer ? stop() : start());
  document.addEventListener('keydown', (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (step && event.target !== slider) { stop(); show(Number(slider.value) + step); }
  });
}
"""

PAGE: Final = (
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;
 style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>$title</title><style>"""
    + _STYLE
    + """</style></head><body><main>
<header><h1>$title</h1><button id="theme">light / dark</button></header>
<dl>$facts</dl>$body
</main><script type="application/json" id="frames">$frames</script><script>"""
    + _SCRIPT.replace("$", "$$")
    + """</script></body></html>
"""
)
