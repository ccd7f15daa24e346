"""What this package adds: the routed pair speech/voices, the API captions, a provider of each."""

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair

CATALOG = Catalog.of(
    apis=[
        ApiSpec("captions", "speech_package.apis:Captions", "text for speech"),
        ApiSpec(
            "speech",
            "speech_package.apis:Speech",
            "text read aloud",
            private_protocol="speech_package.apis:VoicesPrivate",
        ),
        ApiSpec("voices", "speech_package.apis:Voices", "who can read"),
    ],
    pairs=[RoutedPair("speech", "voices", "voice", "voice", "speech_package.apis:Voice")],
    providers=[
        ProviderSpec("speech", "inline::echo", "speech_package.echo", origin="speech-package"),
        ProviderSpec(
            "captions",
            "inline::spoken",
            "speech_package.captions",
            dependencies=("speech", "voices"),
            origin="speech-package",
        ),
    ],
)
