import { graphql } from 'relay-runtime'

export const query = graphql`
  query WorldPageQuery($handle: String!) {
    world(handle: $handle) {
      name
      tagline
      leadHook {
        id
        caption
        durationMs
      }
      artist {
        ...Catalogue_artist
      }
    }
  }
`
