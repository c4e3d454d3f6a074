window.greeting = (name) -> "Hello, #{name ? 'World'}"
