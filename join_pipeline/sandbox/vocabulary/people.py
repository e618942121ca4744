"""Persons: names by culture, countries, telephone ranges that are set aside or not assigned."""

from typing import Final, NamedTuple


class Culture(NamedTuple):
    """Where a person's name, country and telephone number come from; `share` in percent."""

    share: int
    country: tuple[str, str] | None
    phone: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CULTURES: Final = (
    Culture(
        50,
        ("Germany", "DE"),
        "+49 30 23125 {:03d}",  # the Bundesnetzagentur keeps this block for films
        _words(
            "Anna Ben Björn Carla Christian Claudia Daniel Elif Emilia Felix Finn Franziska Greta Günther Hannah "
            "Hans-Peter Ida Jan Jannik Johanna Jonas Jörg Julia Jürgen Karl-Heinz Katharina Kevin Lara Lena Leon "
            "Lina Lukas Maja Marie Markus Mats Maximilian Mia Moritz Nele Nico Niklas Oskar Paul Philipp Ralf "
            "Rüdiger Sabine Sören Sophie Stefan Susanne Swantje Theo Thomas Till Tobias Ulrike Uwe Yannick"
        ),
        _words(
            "Albrecht Arnold Bachmann Bauer Baumgärtner Becker Böhm Brandt Braun Dietrich Engel Fischer Frank "
            "Friedrich Fuchs Graf Groß Günther Haas Hahn Hartmann Heinrich Herrmann Hofmann Horn Huber Jäger Jung "
            "Kaiser Keller Klein Koch König Köhler Kraus Krüger Kühn Lang Lange Lehmann Lorenz Ludwig Maier Meyer "
            "Möller Müller Neumann Otto Pfeiffer Pohl Richter Roth Sauer Schäfer Schmitt Schneider Schröder "
            "Schulze Schwarz Seidel Simon Sommer Stein Strauß Vogel Voß Wagner Walter Weiß Werner Winkler Wolf "
            "Ziegler Zimmermann"
        ),
    ),
    Culture(
        22,
        ("Switzerland", "CH"),
        "+41 44 000 {:02d} 00",  # 000 is not assigned
        _words(
            "Aline Andri Beat Céline Corinne Curdin Daniela Dominic Fabienne Flurina Gian Jürg Lara Lea Livia "
            "Luca Luzia Marco Matthias Mélanie Mirjam Nadja Nicolas Nino Noé Pascal Ramona Reto Roman Ruedi "
            "Sandro Selina Severin Silvan Simone Tamara Thérèse Urs Ursina Vreni Yves"
        ),
        _words(
            "Aebi Aeschlimann Ammann Berger Bianchi Blättler Bösch Brunner Bühler Bürgi Caduff Egger Favre Fehr "
            "Frei Frick Gerber Giger Graf Gübeli Hürlimann Imhof Inglin Jäggi Kälin Kuhn Küng Lüthi Mäder Meier "
            "Moser Näf Odermatt Pfister Rochat Rüegg Schär Schmid Schürch Senn Studer Stähli Suter Tanner Thöni "
            "Vögeli Wüthrich Wyss Zbinden Zurbriggen"
        ),
    ),
    Culture(
        10,
        ("Austria", "AT"),
        "+43 1 000 {:03d}",
        _words(
            "Alois Andreas Birgit Eva Florian Gregor Ingrid Josef Katrin Lisa Magdalena Manfred Martina Theresa "
            "Valentin"
        ),
        _words(
            "Auer Berger Binder Brunner Ebner Eder Egger Fuchs Gruber Haider Hofer Lechner Leitner Pichler "
            "Steiner Wallner"
        ),
    ),
    Culture(
        10,
        ("United Kingdom", "GB"),
        "+44 7700 900{:03d}",  # Ofcom keeps this block for drama
        _words(
            "Alice Callum Charlotte Duncan Eleanor George Harriet Isla Jack Liam Niamh Oliver Poppy Rhys Rosie "
            "Samuel Zoë"
        ),
        _words(
            "Ashworth Brown Campbell Davies Evans Fletcher Green Hughes Jones O'Brien O'Neill Patel Reid Smith "
            "Taylor Wood"
        ),
    ),
    Culture(
        8,
        None,
        "+49 30 23125 {:03d}",
        _words(
            "Ayşe Björk Chloé Dragan Fatima Giulia Håkon Işıl José Łukasz Mehmet Miloš Nguyễn Olga Søren Şebnem "
            "Wei Željka"
        ),
        _words(
            "Çelik Dąbrowski Đorđević Fernández García Ibrahim Kowalski Kılıç Nováková Øverby Petrović Rossi "
            "Silva Šimić Yılmaz"
        ),
    ),
)

EMAIL_DOMAINS: Final = ("example.com", "example.com", "example.org", "example.ch")

POSITIONS: Final = (
    "HR Business Partner",
    "Talent Acquisition",
    "Teamleitung",
    "Geschäftsführung",
    "Head of People",
    None,
)

LINK_TYPES: Final = ("LINKEDIN", "XING", "GITHUB", "OTHER")
