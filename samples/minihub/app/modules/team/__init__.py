"""Who is behind the site. Nothing needs it: name it in .moduleignore to see a module go."""
