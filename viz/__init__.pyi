from .formats.dot import render_dot as render_dot
from .formats.exports import render_graphml as render_graphml, render_json as render_json
from .formats.figure import draw as draw, render as render
from .formats.mermaid import render_mermaid as render_mermaid
from .formats.text import render_text as render_text
from .html import render_html as render_html
from .layout.layered_graph import PictureError as PictureError
