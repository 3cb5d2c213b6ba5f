"""Pictures of a spec: views of it, and DOT, SVG, PNG, PDF and Mermaid of a view (see ``render.render``)."""
